import { availableParallelism } from 'node:os';
import { DataError, isError, MachineError, shortageOf } from '../errors/index.js';
import { convertImage, type PixelImage } from '../native/index.js';
import { decodeBmp, encodeBmp } from './image/bmp.js';
import { decodeJpeg } from './image/jpeg.js';
import { decodeNetpbm, encodeNetpbm } from './image/netpbm.js';
import { CONVERTED_GRAY, type ColorMode } from './image/pixels.js';
import { decodePng } from './image/png.js';
import { loadSharp, open, pixelsOf, type Pipeline } from './image/sharp-pixels.js';
import { decodeTiff } from './image/tiff.js';

export type { ColorMode } from './image/pixels.js';

/** Images that are decoded at once. */
export const DECODE_CONCURRENCY = Math.min(4, availableParallelism());

interface ImageType {
  /** For messages. */
  name: string;
  /** The types to store images as that are this one, in lower case. */
  endings: readonly string[];
  /** Whether a file that starts with these bytes, one a character, is one. */
  matches: RegExp;
  /** 8-bit RGB pixels; rejects with any error where the image is damaged. */
  decode(bytes: Uint8Array, mode: ColorMode): PixelImage | Promise<PixelImage>;
  /** Pixels of 1 or 3 channels as such a file; null where this is not done. */
  encode: ((image: PixelImage) => Uint8Array | Promise<Uint8Array>) | null;
}

/** RGB of an image that has no gray of its own: what OpenCV converts itself, or does not read. */
async function decodeConverted(bytes: Uint8Array, mode: ColorMode, turn: boolean): Promise<PixelImage> {
  const pipeline = open(bytes, { turn });
  const image = await pixelsOf(mode === 'native' ? pipeline : pipeline.removeAlpha());
  return mode === 'gray' ? convertImage(image, { gray: CONVERTED_GRAY }) : image;
}

/** Encodes with sharp. */
function encoder(format: (pipeline: Pipeline) => Pipeline): (image: PixelImage) => Promise<Uint8Array> {
  return async ({ data, width, height, channels }) => {
    const sharp = loadSharp();
    const pipeline = format(sharp(data, { raw: { width, height, channels: channels as 1 | 3 } }));
    return channels === 1 ? pipeline.toColourspace('b-w').toBuffer() : pipeline.toBuffer();
  };
}

/** Every type of image file that is read. OpenCV 4.6 reads all but the last two. */
const types: readonly ImageType[] = [
  {
    name: 'JPEG',
    endings: ['jpg', 'jpeg', 'jpe', 'jfif'],
    matches: /^\xff\xd8\xff/,
    decode: decodeJpeg,
    encode: encoder((pipeline) => pipeline.jpeg({ quality: 95 })),
  },
  {
    name: 'PNG',
    endings: ['png'],
    matches: /^\x89PNG\r\n\x1a\n/,
    decode: decodePng,
    encode: encoder((pipeline) => pipeline.png()),
  },
  {
    name: 'BMP',
    endings: ['bmp', 'dib'],
    matches: /^BM/,
    decode: decodeBmp,
    encode: encodeBmp,
  },
  {
    name: 'PBM, PGM, PPM',
    endings: ['ppm', 'pgm', 'pbm', 'pnm'],
    matches: /^P[1-6]\s/,
    decode: decodeNetpbm,
    encode: encodeNetpbm,
  },
  {
    name: 'TIFF',
    endings: ['tif', 'tiff'],
    matches: /^(II[*+]\0|MM\0[*+])/,
    decode: decodeTiff,
    encode: encoder((pipeline) => pipeline.tiff({ compression: 'lzw' })),
  },
  {
    name: 'WebP',
    endings: ['webp'],
    matches: /^RIFF[^]{4}WEBP/,
    // Its EXIF orientation is not looked at.
    decode: (bytes, mode) => decodeConverted(bytes, mode, false),
    encode: encoder((pipeline) => pipeline.webp({ quality: 95 })),
  },
  {
    name: 'GIF',
    endings: ['gif'],
    matches: /^GIF8[79]a/,
    decode: (bytes, mode) => decodeConverted(bytes, mode, mode !== 'native'),
    encode: null,
  },
  {
    name: 'AVIF',
    endings: ['avif'],
    matches: /^[^]{4}ftyp(avi[fs]|mif1)/,
    decode: (bytes, mode) => decodeConverted(bytes, mode, mode !== 'native'),
    encode: null,
  },
];

/** Bytes from the start of a file that tell whether it is an image. */
export const IMAGE_START_BYTES = 16;

function typeOfBytes(bytes: Uint8Array): ImageType | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, IMAGE_START_BYTES));
  return types.find(({ matches }) => matches.test(start));
}

/** Whether a file that starts with these bytes is of a type that is read, whatever it is called. */
export function isImage(start: Uint8Array): boolean {
  return typeOfBytes(start) !== undefined;
}

/** Whether a file's name ends as one of an image does. */
export function isImageName(name: string): boolean {
  const ending = /\.([^.]*)$/.exec(name)?.[1].toLowerCase();
  return ending !== undefined && types.some(({ endings }) => endings.includes(ending));
}

/**
 * The reason in one line, without the library's name. Its messages lie in one buffer for all threads, where
 * another image's failure may have emptied it.
 */
function reasonOf(error: unknown): string {
  if (error instanceof DataError) return error.reason;
  const text = isError(error) ? error.message : String(error);
  const reason = text.split('\n')[0].replace(/^Vips\w+: /, '');
  return reason === 'Unknown error' ? 'it is damaged or truncated' : reason;
}

/**
 * Decodes an image file's bytes to 8-bit RGB pixels, bit for bit as OpenCV decodes them. What the bytes are, they
 * say themselves. Rejects with a DataError where they are no image, a damaged one or one too large, with a MachineError
 * where memory or threads could not be had.
 */
export async function decodeImage(bytes: Uint8Array, mode: ColorMode): Promise<PixelImage> {
  if (bytes.length === 0) throw new DataError('the image is empty');
  const type = typeOfBytes(bytes);
  if (!type)
    throw new DataError(
      `the image cannot be decoded: unsupported image format; read are ${types.map(({ name }) => name).join(', ')}`,
    );
  try {
    return await type.decode(bytes, mode);
  } catch (error) {
    const shortage = shortageOf(error);
    if (shortage) throw new MachineError(`the image cannot be decoded: ${shortage}`, { cause: error });
    throw new DataError(`the image cannot be decoded: ${reasonOf(error)}`, { cause: error });
  }
}

/** The types that images can be stored as, by their usual endings. */
export const encodeTypes: readonly string[] = types
  .filter(({ encode }) => encode)
  .map(({ endings }) => endings[0]);

/** Whether images can be stored as files of this type, which may be given in upper case. */
export function isEncodeType(type: string): boolean {
  return types.some(({ endings, encode }) => encode && endings.includes(type.toLowerCase()));
}

/** Whether bytes are an image of a type that is called so. */
export function isOfType(bytes: Uint8Array, type: string): boolean {
  return typeOfBytes(bytes)?.endings.includes(type.toLowerCase()) ?? false;
}

/** The usual ending of what these bytes are; empty for no image. */
export function endingOf(bytes: Uint8Array): string {
  return typeOfBytes(bytes)?.endings[0] ?? '';
}

/** Encodes pixels (1 or 3 channels, RGB) as OpenCV's imencode does by default: JPEG of quality 95, or another type. */
export async function encodeImage(image: PixelImage, type: string): Promise<Uint8Array> {
  const encode = types.find(({ endings }) => endings.includes(type.toLowerCase()))?.encode;
  if (!encode)
    throw new DataError(`images cannot be encoded as '${type}'; known are ${encodeTypes.join(', ')}`);
  return encode(image);
}

import { availableParallelism } from 'node:os';
import type SharpLibrary from 'sharp';
import { DataError, isError } from '../errors/index.js';
import { convertImage, type PixelImage } from '../native/index.js';
import { loadDependency } from '../util/dependency.js';

/**
 * What an image becomes, after OpenCV's flags: 'native' keeps its channels (1 for gray, 4 with alpha) and
 * ignores its EXIF orientation; 'color' has 3, 'gray' 1, both turned as EXIF says.
 */
export type ColorMode = 'native' | 'color' | 'gray';

/** Images beyond this many pixels are refused: decoded, one would take 400 MB. */
const MAX_PIXELS = 2 ** 27;

type Sharp = typeof SharpLibrary;
let library: Sharp | undefined;

/** sharp is loaded when the first image is met, and set up to use one thread per image and to keep nothing. */
function load(): Sharp {
  if (!library) {
    library = loadDependency<Sharp>('sharp');
    library.concurrency(1);
    library.cache(false);
  }
  return library;
}

/** Images that are decoded at once. */
export const DECODE_CONCURRENCY = Math.min(4, availableParallelism());

/** Whether an image's header says that it has one channel; PNG and JPEG are looked into. */
export function isGray(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return bytes[25] === 0;
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    // Frame headers are C0 to CF without the tables C4, C8 and CC; their tenth byte counts the components.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return bytes[at + 9] === 1;
    at += marker === 0xff ? 1 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return false;
}

/**
 * The reason in one line, without the library's name. Its messages lie in one buffer for all threads, where
 * another image's failure may have emptied it.
 */
function reasonOf(error: unknown): string {
  const text = isError(error) ? error.message : String(error);
  const reason = text.split('\n')[0].replace(/^Vips\w+: /, '');
  return reason === 'Unknown error' ? 'it is damaged or truncated' : reason;
}

/** Decodes an image file's bytes to 8-bit RGB pixels, bit for bit as OpenCV decodes them. */
export async function decodeImage(bytes: Uint8Array, mode: ColorMode): Promise<PixelImage> {
  if (bytes.length === 0) throw new DataError('the image is empty');
  const sharp = load();
  const native = mode === 'native';
  try {
    let pipeline = sharp(bytes, {
      ignoreIcc: true,
      failOn: 'error',
      limitInputPixels: MAX_PIXELS,
      sequentialRead: true,
      autoOrient: !native,
    });
    if (!native) pipeline = pipeline.removeAlpha();
    if (native && isGray(bytes)) pipeline = pipeline.toColourspace('b-w');
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    const image = { data, height: info.height, width: info.width, channels: info.channels };
    return mode === 'gray' ? await convertImage(image, { gray: true }) : image;
  } catch (error) {
    throw new DataError(`the image cannot be decoded: ${reasonOf(error)}`, { cause: error });
  }
}

/** Encodes pixels (1 or 3 channels, RGB) as OpenCV's imencode does by default: JPEG of quality 95, or PNG. */
export async function encodeImage(image: PixelImage, type: string): Promise<Uint8Array> {
  const sharp = load();
  const { data, width, height, channels } = image;
  const pipeline = sharp(data, { raw: { width, height, channels: channels as 1 | 3 } });
  const encoded =
    type === 'jpg' || type === 'jpeg'
      ? pipeline.jpeg({ quality: 95 })
      : type === 'png'
        ? pipeline.png()
        : type === 'webp'
          ? pipeline.webp({ quality: 95 })
          : null;
  if (!encoded) throw new DataError(`images cannot be encoded as '${type}'; known are jpg, png and webp`);
  return channels === 1 ? encoded.toColourspace('b-w').toBuffer() : encoded.toBuffer();
}

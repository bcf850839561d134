import { DataError } from '../../errors/index.js';
import { convertImage, type PixelImage } from '../../native/index.js';
import { READER_GRAY, type ColorMode } from './pixels.js';
import { mixInks, open, pixelsOf, widePixelsOf, type WideImage } from './sharp-pixels.js';

/** What the first directory of a TIFF says of its pixels. */
interface TiffHeader {
  /** Bits of the first sample. */
  bits: number;
  photometric: number;
  compression: number;
  /** Samples of a pixel. */
  samples: number;
  /** What the first sample beyond the colours is: 0 unknown, 1 alpha that is multiplied in, 2 alpha that is not. */
  extra: number;
  /** Where the low byte of that value stands; 0 where it is not given in place. */
  extraAt: number;
}

const PHOTOMETRIC = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, separated: 5, yCbCr: 6 } as const;

/** Kinds of compression that the decoder lacks, by the numbers that TIFF gives them. */
const missingCompressions: Readonly<Record<number, string>> = {
  34925: 'LZMA',
  50000: 'ZSTD',
  50001: 'WebP',
};
/** Those that leave luma and chroma to whoever reads the pixels. JPEG makes RGB of them itself. */
const JPEG = [6, 7];
const EXTRA = { associated: 1, unassociated: 2 } as const;

/** What can be read of the directory; the decoder tells what is wrong with it. */
function readTiffHeader(bytes: Uint8Array): TiffHeader {
  const little = bytes[0] === 0x49;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header: TiffHeader = { bits: 1, photometric: -1, compression: 1, samples: 1, extra: 0, extraAt: 0 };
  try {
    const big = view.getUint16(2, little) === 43;
    const long = (at: number) => Number(big ? view.getBigUint64(at, little) : view.getUint32(at, little));
    const directory = long(big ? 8 : 4);
    const count = big ? long(directory) : view.getUint16(directory, little);
    // An entry: tag and type of two bytes, then the number of values, then the values or where they stand.
    const [first, size, countBytes] = big ? [8, 20, 8] : [2, 12, 4];
    for (let i = 0; i < Math.min(count, 4096); i++) {
      const entry = directory + first + i * size;
      const [tag, type] = [view.getUint16(entry, little), view.getUint16(entry + 2, little)];
      const values = long(entry + 4);
      const inPlace = values * (type === 3 ? 2 : type === 1 ? 1 : 4) <= countBytes;
      const at = inPlace ? entry + 4 + countBytes : long(entry + 4 + countBytes);
      if (![258, 259, 262, 277, 338].includes(tag) || values === 0) continue;
      const value =
        type === 1 ? view.getUint8(at) : type === 3 ? view.getUint16(at, little) : view.getUint32(at, little);
      if (tag === 258) header.bits = value;
      else if (tag === 259) header.compression = value;
      else if (tag === 262) header.photometric = value;
      else if (tag === 277) header.samples = value;
      else {
        header.extra = value;
        header.extraAt = at + (little || type === 1 ? 0 : type === 3 ? 1 : 3);
      }
    }
  } catch {
    // It goes beyond the end.
  }
  return header;
}

/** The same TIFF with alpha of no known kind: what decodes it leaves the colours as they are. */
function withoutAlphaKind(bytes: Uint8Array, { extraAt }: TiffHeader): Uint8Array {
  const result = Uint8Array.from(bytes);
  result[extraAt] = 0;
  return result;
}

function withoutAlpha({ data, height, width }: PixelImage): PixelImage {
  const opaque = new Uint8Array(3 * height * width);
  for (let from = 0, to = 0; to < opaque.length; from += 4, to += 3)
    for (let c = 0; c < 3; c++) opaque[to + c] = data[from + c];
  return { data: opaque, height, width, channels: 3 };
}

function rounded({ data: samples, ...size }: WideImage): PixelImage {
  const data = new Uint8Array(samples.length);
  for (let i = 0; i < data.length; i++) data[i] = (samples[i] + 128) / 257;
  return { data, ...size };
}

/** RGB and, where there is any, alpha, as libtiff gives them: opaque, so the colours carry their alpha. */
async function decodeRgb(bytes: Uint8Array, mode: ColorMode, header: TiffHeader): Promise<PixelImage> {
  const { bits, samples, extra, extraAt } = header;
  const alpha = samples > 3;
  // sharp divides by an alpha that is multiplied in.
  const known = alpha && extra === EXTRA.associated && extraAt > 0;
  const pipeline = open(known ? withoutAlphaKind(bytes, header) : bytes, { turn: true });
  if (!alpha) pipeline.removeAlpha();
  // Samples of 16 bits are rounded, but for 'native', which OpenCV leaves at 16.
  if (bits === 16 && mode === 'native') return pixelsOf(pipeline);
  const image = bits === 16 ? rounded(await widePixelsOf(pipeline)) : await pixelsOf(pipeline);
  if (image.channels < 4) return image;
  const { data } = image;
  if (extra === EXTRA.unassociated)
    for (let i = 0; i < data.length; i += 4)
      for (let c = 0; c < 3; c++) data[i + c] = Math.floor((data[i + c] * data[i + 3] + 127) / 255);
  return mode === 'native' ? image : withoutAlpha(image);
}

/** A TIFF's first image as OpenCV decodes it; its orientation belongs to the format and is always followed. */
export async function decodeTiff(bytes: Uint8Array, mode: ColorMode): Promise<PixelImage> {
  const header = readTiffHeader(bytes);
  const { whiteIsZero, blackIsZero, rgb, separated, yCbCr } = PHOTOMETRIC;
  const { photometric, bits, compression } = header;
  const missing = missingCompressions[compression];
  if (missing) throw new DataError(`it is compressed with ${missing}; save it with LZW or Deflate`);
  // The decoder would give the samples as they stand, as colours.
  if (photometric === yCbCr && !JPEG.includes(compression))
    throw new DataError('its pixels are luma and chroma (YCbCr) without JPEG; save it as RGB');
  let image: PixelImage;
  if (photometric === separated)
    image = await mixInks(
      open(bytes, { turn: true }),
      (ink, black) => Math.floor(((255 - black) * (255 - ink)) / 255),
      mode === 'native' ? 4 : 3,
    );
  else if (photometric === rgb) image = await decodeRgb(bytes, mode, header);
  else image = await pixelsOf(open(bytes, { turn: true }).removeAlpha());
  const one = photometric === whiteIsZero || photometric === blackIsZero || bits === 1;
  return mode === 'gray' || (mode === 'native' && one) ? convertImage(image, { gray: READER_GRAY }) : image;
}

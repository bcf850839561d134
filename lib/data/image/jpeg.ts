import { convertImage, type PixelImage } from '../../native/index.js';
import { JPEG_GRAY, READER_GRAY, type ColorMode } from './pixels.js';
import { mixInks, open, pixelsOf } from './sharp-pixels.js';

/** What the markers of a JPEG say of its pixels. */
interface JpegHeader {
  /** What libjpeg takes the components for. */
  space: 'gray' | 'ycbcr' | 'rgb' | 'cmyk';
}

interface Segment {
  marker: number;
  /** Where its marker stands; two bytes on its length, four bytes on what it holds. */
  at: number;
  /** Behind it. */
  end: number;
}

/** The segments between the start of the image and its first scan. */
function* segments(bytes: Uint8Array): Generator<Segment> {
  for (let at = 2; at + 3 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) at++;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else {
      const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
      if (marker === 0xda || marker === 0xd9) return;
      yield { marker, at, end };
      at = end;
    }
  }
}

const startsWith = (bytes: Uint8Array, at: number, text: string): boolean =>
  Array.from(text).every((character, i) => bytes[at + i] === character.charCodeAt(0));

const isJfif = (bytes: Uint8Array, { marker, at, end }: Segment): boolean =>
  marker === 0xe0 && end - at >= 16 && startsWith(bytes, at + 4, 'JFIF\0');
const isAdobe = (bytes: Uint8Array, { marker, at, end }: Segment): boolean =>
  marker === 0xee && end - at >= 14 && startsWith(bytes, at + 4, 'Adobe');

/** Null where no frame of 1, 3 or 4 components is found. */
function readJpegHeader(bytes: Uint8Array): JpegHeader | null {
  let jfif = false;
  let transform: number | null = null;
  let frame: Segment | null = null;
  for (const segment of segments(bytes)) {
    const { marker, at } = segment;
    if (isJfif(bytes, segment)) jfif = true;
    else if (isAdobe(bytes, segment)) transform = bytes[at + 15];
    // Frame headers are C0 to CF without the tables C4, C8 and CC.
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) frame ??= segment;
  }
  if (!frame) return null;
  const components = bytes[frame.at + 9];
  if (components === 1) return { space: 'gray' };
  if (components === 4) return { space: 'cmyk' };
  if (components !== 3) return null;
  if (jfif) return { space: 'ycbcr' };
  if (transform !== null) return { space: transform === 0 ? 'rgb' : 'ycbcr' };
  const names = [10, 13, 16].map((i) => String.fromCharCode(bytes[frame.at + i])).join('');
  return { space: names === 'RGB' ? 'rgb' : 'ycbcr' };
}

/**
 * A JPEG of luma and chroma with markers that say it holds RGB: what decodes it leaves the components as they are,
 * luma first. The segments that said otherwise become comments.
 */
function labelledRgb(bytes: Uint8Array): Uint8Array {
  const adobe = Uint8Array.of(0xff, 0xee, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, 0);
  const result = Buffer.concat([bytes.subarray(0, 2), adobe, bytes.subarray(2)]);
  for (const { marker, at } of segments(bytes))
    if (marker === 0xe0 || marker === 0xee) result[at + adobe.length + 1] = 0xfe;
  return result;
}

/** Whether a JPEG does not end in the marker of its end; some writers leave it out. */
function lacksEnd(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 2 && bytes[end - 1] === 0) end--;
  return bytes[end - 2] !== 0xff || bytes[end - 1] !== 0xd9;
}

async function decode(bytes: Uint8Array, mode: ColorMode, failOn: 'error' | 'warning'): Promise<PixelImage> {
  const options = { turn: mode !== 'native', failOn };
  const space = readJpegHeader(bytes)?.space;
  if (space === 'cmyk') {
    // OpenCV's arithmetic, on the inks as they stand in the file; sharp turns them over.
    const image = await mixInks(await open(bytes, options), (ink, black) => {
      const light = 255 - black;
      return light - ((ink * light) >> 8);
    });
    return mode === 'gray' ? convertImage(image, { gray: READER_GRAY }) : image;
  }
  if (space === 'gray' && mode !== 'color') return pixelsOf((await open(bytes, options)).extractChannel(0));
  // Of gray OpenCV makes what libjpeg does: the luma that stands in the file.
  if (space === 'ycbcr' && mode === 'gray')
    return pixelsOf((await open(labelledRgb(bytes), options)).extractChannel(0));
  const image = await pixelsOf(await open(bytes, options));
  return mode === 'gray' ? convertImage(image, { gray: JPEG_GRAY }) : image;
}

/** A JPEG as OpenCV decodes it, but for one that ends early: that is an error. */
export async function decodeJpeg(bytes: Uint8Array, mode: ColorMode): Promise<PixelImage> {
  try {
    return await decode(bytes, mode, 'error');
  } catch (error) {
    if (!lacksEnd(bytes)) throw error;
    // With an end added, a whole image decodes without a complaint and one that was cut off does not.
    const ended = Buffer.concat([bytes, Uint8Array.of(0xff, 0xd9)]);
    return decode(ended, mode, 'warning').catch(() => Promise.reject(error as Error));
  }
}

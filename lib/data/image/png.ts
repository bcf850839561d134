import { convertImage, type PixelImage } from '../../native/index.js';
import { FIRST_CHANNEL, grayOf, PNG_GRAY, type ColorMode } from './pixels.js';
import { open, pixelsOf, widePixelsOf, type WideImage } from './sharp-pixels.js';

/** What a PNG says of its pixels. */
interface PngHeader {
  /** Bits of a sample: 1, 2, 4, 8 or 16. */
  depth: number;
  /** Gray, with alpha or without. */
  gray: boolean;
  alpha: boolean;
  /** Exponent of what stands in the file, in 100000ths; null where it says nothing. */
  gamma: number | null;
}

/** The exponent that an sRGB chunk stands for. */
const SRGB_GAMMA = 45455;

function readPngHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes[25];
  let gamma: number | null = null;
  // Chunks up to the pixels: length, name, data, checksum.
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === 'IDAT') break;
    if (name === 'sRGB') {
      gamma = SRGB_GAMMA;
      break;
    }
    if (name === 'gAMA' && length === 4) gamma = view.getUint32(at + 8);
    at += 12 + length;
  }
  return { depth: bytes[24], gray: type === 0 || type === 4, alpha: type === 4 || type === 6, gamma };
}

/** Whether libpng looks at an exponent at all: beyond 5 % of 1. */
const isSignificant = (gamma: number | null): gamma is number =>
  gamma !== null && gamma >= 16 && gamma <= 625000000 && (gamma < 95000 || gamma > 105000);

const reciprocal = (gamma: number): number => Math.floor(1e10 / gamma + 0.5);

/** `top` * (i / last) ^ exponent for i from 0 to `last`, rounded; the exponent in 100000ths. */
function powers(last: number, top: number, gamma: number): Uint16Array {
  return Uint16Array.from({ length: last + 1 }, (_, i) =>
    Math.floor(top * Math.pow(i / last, gamma * 1e-5) + 0.5),
  );
}

/**
 * Gray as libpng makes it of RGB with samples of 8 or 16 bits: the sum is that of light where the file gives an
 * exponent, and 16 bits become 8 behind it.
 */
function toGray(
  { data: samples, height, width, channels }: PixelImage | WideImage,
  gamma: number | null,
): PixelImage {
  const wide = samples instanceof Uint16Array;
  const data = new Uint8Array(height * width);
  const significant = isSignificant(gamma);
  // libpng's tables for samples of two bytes know their upper 11 bits.
  const shift = wide ? 5 : 0;
  const [last, top] = wide ? [2047, 65535] : [255, 255];
  const toLight = significant ? powers(last, top, reciprocal(gamma)) : null;
  const fromLight = significant ? powers(last, top, reciprocal(reciprocal(gamma))) : null;
  const weights = significant || wide ? { ...PNG_GRAY, half: 1 << 14 } : PNG_GRAY;
  for (let i = 0, at = 0; i < data.length; i++, at += channels) {
    const red = samples[at];
    const green = samples[at + 1];
    const blue = samples[at + 2];
    let gray = red;
    if (red !== green || red !== blue)
      gray =
        toLight && fromLight
          ? fromLight[
              grayOf(weights, toLight[red >> shift], toLight[green >> shift], toLight[blue >> shift]) >> shift
            ]
          : grayOf(weights, red, green, blue);
    data[i] = wide ? gray >> 8 : gray;
  }
  return { data, height, width, channels: 1 };
}

/** A PNG as OpenCV decodes it with libpng: samples of 16 bits are their high bytes, alpha is left out or kept. */
export async function decodePng(bytes: Uint8Array, mode: ColorMode): Promise<PixelImage> {
  const { gray, alpha, depth, gamma } = readPngHeader(bytes);
  const pipeline = await open(bytes, { turn: mode !== 'native' });
  if (mode === 'native' && !(gray && !alpha)) return pixelsOf(pipeline);
  pipeline.removeAlpha();
  if (mode === 'color') return pixelsOf(pipeline);
  if (gray)
    return depth === 16
      ? convertImage(await pixelsOf(pipeline), { gray: FIRST_CHANNEL })
      : pixelsOf(pipeline.extractChannel(0));
  if (depth === 16) return toGray(await widePixelsOf(pipeline), gamma);
  const image = await pixelsOf(pipeline);
  return isSignificant(gamma) ? toGray(image, gamma) : convertImage(image, { gray: PNG_GRAY });
}

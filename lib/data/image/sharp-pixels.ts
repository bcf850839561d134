import type SharpLibrary from 'sharp';
import type { PixelImage } from '../../native/index.js';
import { MAX_PIXELS } from './pixels.js';

type Library = typeof SharpLibrary;
export type Pipeline = ReturnType<Library>;
let library: Promise<Library> | undefined;

/** sharp is loaded when the first image is met, and set up to use one thread per image and to keep nothing. */
export function loadSharp(): Promise<Library> {
  library ??= import('sharp').then(({ default: sharp }) => {
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  });
  return library;
}

export interface OpenOptions {
  /** Turned as the image says it stands. */
  turn: boolean;
  /** What a decoder may complain of at most. */
  failOn?: 'error' | 'warning';
}

/** A pipeline that reads an image; its colours are taken for sRGB whatever profile stands beside them. */
export async function open(bytes: Uint8Array, options: OpenOptions): Promise<Pipeline> {
  const { turn, failOn = 'error' } = options;
  const sharp = await loadSharp();
  return sharp(bytes, {
    ignoreIcc: true,
    failOn,
    limitInputPixels: MAX_PIXELS,
    sequentialRead: true,
    autoOrient: turn,
  });
}

/** Samples of 8 bits; gray comes as RGB but from `extractChannel`. */
export async function pixelsOf(pipeline: Pipeline): Promise<PixelImage> {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return { data, height: info.height, width: info.width, channels: info.channels };
}

export interface WideImage extends Omit<PixelImage, 'data'> {
  data: Uint16Array;
}

/** Samples of 16 bits, RGB or RGB and alpha. */
export async function widePixelsOf(pipeline: Pipeline): Promise<WideImage> {
  const wide = pipeline.toColourspace('rgb16').raw({ depth: 'ushort' });
  const { data, info } = await wide.toBuffer({ resolveWithObject: true });
  const aligned = data.byteOffset % 2 === 0 ? data : Uint8Array.from(data);
  return {
    data: new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2),
    height: info.height,
    width: info.width,
    channels: info.channels,
  };
}

/**
 * RGB of an image of four inks, which sharp gives from 0 (none) to 255, by `mix` of one ink and black; a fourth
 * channel that is opaque where `channels` is 4.
 */
export async function mixInks(
  pipeline: Pipeline,
  mix: (ink: number, black: number) => number,
  channels: 3 | 4 = 3,
): Promise<PixelImage> {
  const inks = await pixelsOf(pipeline.pipelineColourspace('cmyk').toColourspace('cmyk'));
  const { height, width } = inks;
  const data = new Uint8Array(height * width * channels).fill(255);
  for (let from = 0, to = 0; to < data.length; from += 4, to += channels)
    for (let c = 0; c < 3; c++) data[to + c] = mix(inks.data[from + c], inks.data[from + 3]);
  return { data, height, width, channels };
}

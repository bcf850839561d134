import { DataError } from '../../errors/index.js';
import type { GrayWeights } from '../../native/index.js';

/**
 * What an image becomes, after OpenCV's flags: 'native' keeps its channels (1 for gray, 4 with alpha) and
 * ignores its EXIF orientation; 'color' has 3, 'gray' 1, both turned as EXIF says.
 */
export type ColorMode = 'native' | 'color' | 'gray';

/** Images beyond this many pixels are refused: decoded, one would take 400 MB. */
export const MAX_PIXELS = 2 ** 27;

/** Throws DataError where an image's header gives a size that is not decoded. */
export function checkSize(height: number, width: number): void {
  if (height < 1 || width < 1) throw new DataError(`its header gives ${height} x ${width} pixels`);
  if (height * width > MAX_PIXELS)
    throw new DataError(
      `its header gives ${height} x ${width} pixels; more than ${MAX_PIXELS} are not decoded`,
    );
}

/** Gray of OpenCV's readers of BMP, Netpbm and TIFF files and of CMYK. */
export const READER_GRAY: GrayWeights = { red: 4899, green: 9617, blue: 1868, half: 1 << 13, shift: 14 };

/** Gray of OpenCV's cvtColor, which its WebP reader uses. */
export const CONVERTED_GRAY: GrayWeights = { red: 9798, green: 19235, blue: 3735, half: 1 << 14, shift: 15 };

/** Gray of libpng, for 0.299 and 0.587 as OpenCV asks; rounded down. */
export const PNG_GRAY: GrayWeights = { red: 9797, green: 19234, blue: 3737, half: 0, shift: 15 };

/** Gray that libjpeg makes of a JPEG of RGB. */
export const JPEG_GRAY: GrayWeights = { red: 19595, green: 38470, blue: 7471, half: 1 << 15, shift: 16 };

/** The first of an image's channels, where all are the same. */
export const FIRST_CHANNEL: GrayWeights = { red: 1, green: 0, blue: 0, half: 0, shift: 0 };

export function grayOf(weights: GrayWeights, red: number, green: number, blue: number): number {
  return (red * weights.red + green * weights.green + blue * weights.blue + weights.half) >> weights.shift;
}

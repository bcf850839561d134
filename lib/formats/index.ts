/** Ranges to parameters of a number format, and the formats that a prototxt asks for. Knows no net. */
export type { Rounding, TrimFormat } from '../native/index.js';
export {
  activationIntegerLength,
  dynamicFixedPoint,
  LEAST_FRACTIONAL_LENGTH,
  MOST_FRACTIONAL_LENGTH,
  fractionalLength,
  parameterIntegerLength,
  type IntegerLength,
} from './dynamic-fixed-point.js';
export { ceilLog2 } from './exponent.js';
export {
  describeFormat,
  innerRange,
  layerFormatsOf,
  representableRange,
  storageBits,
  sumsCodes,
  type LayerFormats,
  type LayerFormatsOptions,
} from './format.js';
export { exponentBits, FEWEST_EXPONENT_BITS, mantissaBits, minifloat } from './minifloat.js';
export { DEFAULT_EXPONENT_WINDOW, integerPowerOfTwo } from './power-of-two.js';

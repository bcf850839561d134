/**
 * Single kernels on typed arrays, for those who want neither a net nor memory of the library's own. Arguments are
 * checked, then copied into native memory; results are arrays of their own. `name` runs off the JavaScript thread,
 * `nameSync` blocks it.
 */
export {
  convFixed,
  convFixedSync,
  type CodeArray,
  type ConvFixed,
  type ConvFixedResult,
  type Extent,
} from './conv-fixed.js';
export { range, rangeSync, type RangeOptions, type ValueRange } from './range.js';
export { roundStochastic, roundStochasticSync, trim, trimSync, type RandomName } from './trim.js';
export type { KernelOptions } from './work.js';

import type { Rounding, TrimFormat } from '../native/index.js';

/** The exponents of the original's four-bit weights: 2^-8 to 2^-1, and a sign. */
export const DEFAULT_EXPONENT_WINDOW = { min: -8, max: -1 } as const;

/** Weights that are powers of two with exponents from `min` to `max`. */
export function integerPowerOfTwo(
  window: { min: number; max: number } = DEFAULT_EXPONENT_WINDOW,
  rounding: Rounding = 'halfAwayFromZero',
): Extract<TrimFormat, { kind: 'integerPowerOfTwo' }> {
  return { kind: 'integerPowerOfTwo', exponentMin: window.min, exponentMax: window.max, rounding };
}

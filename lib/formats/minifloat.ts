import { UsageError } from '../errors/index.js';
import type { Rounding, TrimFormat } from '../native/index.js';

/** Exponent bits that the choice starts from. */
export const FEWEST_EXPONENT_BITS = 4;

/** Beyond it a minifloat would exceed float32. */
const MOST_EXPONENT_BITS = 8;

/**
 * The least exponent bits, 4 or more, with which none of the magnitudes exceeds the format's range. In the
 * original ceil(log2(log2 m - 1) + 1), which has no value for m <= 2; as m <= 2^(2^(e - 1) + 1), the same
 * condition is defined for all and exact. An e of 4 reaches 512, 5 reaches 131072.
 */
export function exponentBits(maxima: Iterable<number>): number {
  let bits = FEWEST_EXPONENT_BITS;
  for (const maximum of maxima) {
    if (!Number.isFinite(maximum) || maximum < 0)
      throw new UsageError(`a largest magnitude must be a finite number of at least 0, not ${maximum}`);
    while (bits < MOST_EXPONENT_BITS && maximum > 2 ** (2 ** (bits - 1) + 1)) bits++;
  }
  return bits;
}

/** What the sign and the exponent leave of the width; less than 1 where the width is too small. */
export function mantissaBits(bitWidth: number, exponentBits: number): number {
  return bitWidth - exponentBits - 1;
}

/** The minifloat of `bitWidth` bits with so many of them in the exponent. */
export function minifloat(
  bitWidth: number,
  exponentBits: number,
  rounding: Rounding = 'halfAwayFromZero',
): Extract<TrimFormat, { kind: 'minifloat' }> {
  return { kind: 'minifloat', mantissaBits: mantissaBits(bitWidth, exponentBits), exponentBits, rounding };
}

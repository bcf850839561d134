import { UsageError } from '../errors/index.js';
import type { Rounding, TrimFormat } from '../native/index.js';
import { ceilLog2 } from './exponent.js';

/** Bits in front of the point and what is to be said about them. */
export interface IntegerLength {
  bits: number;
  /** The maximum was 0, so that there was nothing to choose by. */
  allZero: boolean;
}

/** What a range of zeros gets. */
const LENGTH_OF_ZEROS = 1;

function integerLength(maximum: number, signBit: 0 | 1): IntegerLength {
  if (!Number.isFinite(maximum) || maximum < 0)
    throw new UsageError(`a largest magnitude must be a finite number of at least 0, not ${maximum}`);
  if (maximum === 0) return { bits: LENGTH_OF_ZEROS, allZero: true };
  return { bits: ceilLog2(maximum) + signBit, allZero: false };
}

/**
 * Integer length of a layer's input or output, from its largest magnitude: ceil(log2 maximum). There is no bit
 * for the sign in it, so the largest values saturate, at any width, as in the original.
 */
export function activationIntegerLength(maximum: number): IntegerLength {
  return integerLength(maximum, 0);
}

/** Integer length of weights, which biases share: ceil(log2 maximum + 1), the sign bit included. */
export function parameterIntegerLength(maximum: number): IntegerLength {
  return integerLength(maximum, 1);
}

/** Fractional lengths that a format may have: the steps 2^-126 to 2^126 are normal float32 numbers. */
export const LEAST_FRACTIONAL_LENGTH = -126;
export const MOST_FRACTIONAL_LENGTH = 126;

/**
 * bitWidth - integerLength; negative where the unit is larger than 1. For ranges near the ends of float32's own it is
 * cut to what a format may have: the finest or coarsest step that there is.
 */
export function fractionalLength(bitWidth: number, integerLength: number): number {
  return Math.min(Math.max(bitWidth - integerLength, LEAST_FRACTIONAL_LENGTH), MOST_FRACTIONAL_LENGTH);
}

/** The format of `bitWidth` bits, `integerLength` of them in front of the point. */
export function dynamicFixedPoint(
  bitWidth: number,
  integerLength: number,
  rounding: Rounding = 'halfAwayFromZero',
): Extract<TrimFormat, { kind: 'dynamicFixedPoint' }> {
  return {
    kind: 'dynamicFixedPoint',
    bitWidth,
    fractionalLength: fractionalLength(bitWidth, integerLength),
    rounding,
  };
}

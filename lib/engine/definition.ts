import type { CodeFormat, Rounding } from '../native/index.js';
import { rangeOf } from './storage.js';

/** Whether a magnitude with a fraction of `twice` / `unit` halves is rounded up. */
function roundsUp(kept: bigint, rest: bigint, unit: bigint, negative: boolean, rounding: Rounding): boolean {
  const twice = 2n * rest;
  switch (rounding) {
    case 'halfAwayFromZero':
      return twice >= unit;
    case 'halfToEven':
      return twice > unit || (twice === unit && kept % 2n === 1n);
    case 'halfUp':
      return negative ? twice > unit : twice >= unit;
    case 'floor':
      return negative && rest > 0n;
    case 'stochastic':
      throw new Error('codes are not rounded stochastically');
  }
}

/**
 * The requantisation of docs/numerics.md on integers of any length, from fractional length `from` to `to`: what
 * `verify` holds against kernels and simulation, shared with neither.
 */
export function requantiseExactly(x: bigint, from: number, to: CodeFormat, rounding: Rounding): number {
  const shift = from - to.fractionalLength;
  const negative = x < 0n;
  let magnitude = negative ? -x : x;
  if (shift <= 0) magnitude <<= BigInt(-shift);
  else {
    const unit = 1n << BigInt(shift);
    const kept = magnitude / unit;
    magnitude = kept + (roundsUp(kept, magnitude % unit, unit, negative, rounding) ? 1n : 0n);
  }
  const { low, high } = rangeOf(to, false);
  const code = negative ? -magnitude : magnitude;
  return code < BigInt(low) ? low : code > BigInt(high) ? high : Number(code);
}

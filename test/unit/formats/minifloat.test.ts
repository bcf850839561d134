import { describe, expect, it } from 'vitest';
import { exponentBits, mantissaBits, minifloat } from '../../../lib/formats/index.js';

/** The original's formula, in double. */
const original = (maximum: number): number => Math.ceil(Math.log2(Math.log2(maximum) - 1) + 1);

describe('exponent bits', () => {
  it('follows the original above 2', () => {
    for (let maximum = 2.5; maximum < 1e30; maximum *= 1.37)
      expect(exponentBits([maximum])).toBe(Math.max(4, original(maximum)));
  });

  it('is exact where the next bit is needed', () => {
    expect(exponentBits([512])).toBe(4);
    expect(exponentBits([512.0001])).toBe(5);
    expect(exponentBits([131072])).toBe(5);
    expect(exponentBits([131072.01])).toBe(6);
    expect(exponentBits([2 ** 65])).toBe(7);
    expect(exponentBits([2 ** 66])).toBe(8);
    expect(exponentBits([3e38])).toBe(8);
  });

  it('is 4 for small ranges, where the original has no value', () => {
    for (const maximum of [0, 0.5, 1, 2, 2.0000002]) expect(exponentBits([maximum])).toBe(4);
    expect(exponentBits([])).toBe(4);
  });

  it('takes the largest of all', () => {
    expect(exponentBits([1, 600, 3])).toBe(5);
  });

  it('refuses what is no magnitude', () => {
    for (const maximum of [NaN, Infinity, -1])
      expect(() => exponentBits([maximum])).toThrow(/largest magnitude/);
  });
});

it('a width is divided into sign, exponent and mantissa', () => {
  expect(mantissaBits(16, 5)).toBe(10);
  expect(minifloat(8, 4)).toEqual({
    kind: 'minifloat',
    mantissaBits: 3,
    exponentBits: 4,
    rounding: 'halfAwayFromZero',
  });
});

import { describe, expect, it } from 'vitest';
import { formatSeconds } from '../../../lib/cli/table.js';
import { formatBytes, formatCount } from '../../../lib/util/decimal-text.js';

describe('counts', () => {
  it.each([
    [0, '0'],
    [512, '512'],
    [999, '999'],
    [1000, '1.00 K'],
    [12345, '12.3 K'],
    [999_499, '999 K'],
    [999_500, '1.00 M'],
    [1_065_369_600, '1.07 G'],
    [4.36e10, '43.6 G'],
    [1.82e11, '182 G'],
    [9.999e14, '1.00 P'],
    [1e24, '1000000 E'],
  ])('%d is %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it('of bytes have their units', () => {
    expect([999, 999_600, 999_600_000].map(formatBytes)).toEqual(['999 B', '1.00 MB', '1.00 GB']);
    expect(formatBytes(4_990_408)).toBe('4.99 MB');
  });
});

it('seconds carry into minutes and hours', () => {
  expect([59.94, 59.96, 119.6, 3599.7, 3661].map(formatSeconds)).toEqual([
    '59.9 s',
    '1 min 0 s',
    '2 min 0 s',
    '1 h 0 min',
    '1 h 1 min',
  ]);
});

import { describe, expect, it } from 'vitest';
import { formatG } from '../../../lib/cli/format-number.js';
import { glogLine } from '../../../lib/cli/glog.js';

describe('glogLine', () => {
  it('has the form that log parsers expect', () => {
    const now = new Date(2016, 10, 3, 6, 5, 25, 35);
    const line = glogLine(
      'I',
      { file: 'quantization.cpp', line: 277 },
      'Network accuracy analysis for',
      now,
      1431,
    );
    expect(line).toBe('I1103 06:05:25.035000  1431 quantization.cpp:277] Network accuracy analysis for');
    // The pattern of Caffe's own tools/extra/extract_seconds.py and parse_log.py.
    expect(line).toMatch(/^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6}\s+\d+ \S+:\d+\] /);
  });
});

describe('formatG', () => {
  it.each([
    [Math.fround(0.648), '0.648'],
    [1, '1'],
    [0, '0'],
    [-0, '-0'],
    [Math.fround(1.5438299), '1.54383'],
    [123456, '123456'],
    [1234567, '1.23457e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-2.5e-7, '-2.5e-07'],
    [999999.5, '1e+06'],
    [1e100, '1e+100'],
    [NaN, 'nan'],
    [-Infinity, '-inf'],
    [100, '100'],
  ])('prints %d as %s', (value, text) => {
    expect(formatG(value)).toBe(text);
  });
});

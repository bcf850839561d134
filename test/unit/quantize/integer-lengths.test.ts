import { describe, expect, it } from 'vitest';
import { integerLengthsOf, parseIntegerLengths } from '../../../lib/quantize/integer-lengths.js';

describe('integerLengthsOf', () => {
  it('takes ceil(log2) of activations and one bit more for parameters', () => {
    const lengths = integerLengthsOf([
      { layer: 'a', input: 138, output: 1500, parameters: 0.7 },
      { layer: 'b', input: 128, output: 128.00001525878906, parameters: 0.5 },
      { layer: 'c', input: 2 ** -20, output: 2 ** 100, parameters: 1 },
    ]);
    expect(lengths).toEqual([
      { layer: 'a', input: 8, output: 11, parameters: 1 },
      { layer: 'b', input: 7, output: 8, parameters: 0 },
      { layer: 'c', input: -20, output: 100, parameters: 1 },
    ]);
  });

  it('is exact next to every power of two', () => {
    for (let k = -30; k <= 30; k++) {
      const above = 2 ** k * (1 + 2 ** -23);
      const below = 2 ** k * (1 - 2 ** -24);
      const [{ input, output, parameters }] = integerLengthsOf([
        { layer: 'a', input: above, output: below, parameters: 2 ** k },
      ]);
      expect([input, output, parameters]).toEqual([k + 1, k, k + 1]);
    }
  });

  it('gives length 1 to zeros, with a warning, and refuses what is not finite', () => {
    const warnings: string[] = [];
    const lengths = integerLengthsOf([{ layer: 'z', input: 0, output: 1, parameters: 0 }], (w) =>
      warnings.push(w),
    );
    expect(lengths[0]).toEqual({ layer: 'z', input: 1, output: 0, parameters: 1 });
    expect(warnings).toHaveLength(2);
    expect(() => integerLengthsOf([{ layer: 'n', input: NaN, output: 1, parameters: 1 }])).toThrow(
      "layer 'n'",
    );
  });
});

describe('parseIntegerLengths', () => {
  const row = { layer: 'conv1', input: 8, output: 11, parameters: 1 };

  it('reads a list, alone or in an object', () => {
    expect(parseIntegerLengths(JSON.stringify([row]), 'f')).toEqual([row]);
    expect(parseIntegerLengths(JSON.stringify({ integerLengths: [row], other: 1 }), 'f')).toEqual([row]);
  });

  it('reads all that a range of float32 gives', () => {
    const ranges = [2 ** -149, (2 - 2 ** -23) * 2 ** 127].map((maximum, i) => ({
      layer: `l${i}`,
      input: maximum,
      output: maximum,
      parameters: maximum,
    }));
    const lengths = integerLengthsOf(ranges);
    expect(lengths.map(({ input, parameters }) => [input, parameters])).toEqual([
      [-149, -148],
      [128, 129],
    ]);
    expect(parseIntegerLengths(JSON.stringify(lengths), 'f')).toEqual(lengths);
  });

  it.each([
    ['{', 'f:1:2: is not JSON'],
    ['{}', 'f: a list'],
    ['[null]', 'entry 0'],
    [JSON.stringify([{ ...row, output: 1.5 }]), "layer 'conv1': output: 1.5"],
    [JSON.stringify([{ ...row, input: 1000 }]), 'input: 1000'],
    [JSON.stringify([{ ...row, input: -150 }]), 'input: -150'],
    [JSON.stringify([{ ...row, parameters: 130 }]), 'parameters: 130'],
    [JSON.stringify([row, row]), 'twice'],
  ])('refuses %s', (text, message) => {
    expect(() => parseIntegerLengths(text, 'f')).toThrow(message);
  });
});

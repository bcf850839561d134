import { describe, expect, it } from 'vitest';
import { DataError, kernels, Stream, UsageError } from '../../../lib/index.js';
import type { TrimFormat } from '../../../lib/native/index.js';
import { fnv1a32, philox4x32 } from '../../../lib/util/philox.js';

const byte: TrimFormat = { kind: 'dynamicFixedPoint', bitWidth: 8, fractionalLength: 2 };

describe('kernels.trim', () => {
  it.each<[TrimFormat, number[], number[]]>([
    [byte, [0.1, 0.125, -0.125, 1.3, 40, -40, Infinity], [0, 0.25, -0.25, 1.25, 31.75, -32, 31.75]],
    [{ ...byte, rounding: 'halfToEven' }, [0.125, 0.375, -0.125], [0, 0.5, 0]],
    [{ kind: 'minifloat', mantissaBits: 3, exponentBits: 4 }, [1.05, 1.0625, 1000, 0], [1, 1.125, 480, 0]],
    [
      { kind: 'integerPowerOfTwo', exponentMin: -3, exponentMax: 0 },
      [0.3, -5, 0.01, 0],
      [0.25, -1, 0.125, 0.125],
    ],
  ])('trims to %o', async (format, values, expected) => {
    const given = Float32Array.from(values);
    const kept = given.slice();
    expect(kernels.trimSync(given, format)).toEqual(Float32Array.from(expected));
    expect(await kernels.trim(given, format)).toEqual(Float32Array.from(expected));
    expect(given).toEqual(kept);
  });

  it('takes views and empty arrays', () => {
    const whole = Float32Array.from([9, 1.1, 2.2, 9]);
    expect(kernels.trimSync(whole.subarray(1, 3), byte)).toEqual(Float32Array.from([1, 2.25]));
    expect(kernels.trimSync(new Float32Array(0), byte)).toHaveLength(0);
  });

  it('refuses what it cannot trim', async () => {
    const values = new Float32Array(3);
    expect(() => kernels.trimSync([1, 2] as unknown as Float32Array, byte)).toThrow(
      'values: must be Float32Array',
    );
    expect(() => kernels.trimSync(values, { ...byte, bitWidth: 33 })).toThrow(UsageError);
    expect(() => kernels.trimSync(values, { ...byte, rounding: 'stochastic' })).toThrow('roundStochastic');
    await expect(kernels.trim(values, undefined as unknown as TrimFormat)).rejects.toThrow('format: must be');
    values[1] = NaN;
    expect(() => kernels.trimSync(values, byte)).toThrow(DataError);
    await expect(kernels.trim(values, byte)).rejects.toThrow('NaN');
    // The shared stream is as good as before.
    expect(kernels.trimSync(new Float32Array(2), byte)).toHaveLength(2);
  });
});

describe('kernels.roundStochastic', () => {
  it('rounds up where the random word is below the fraction', async () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => i / 16);
    const name = { seed: 2 ** 33 + 5, stream: 'conv1/weights', step: 3, firstElement: 6 };
    const expected = values.map((x, i) => {
      const element = name.firstElement + i;
      const counter = [Math.floor(element / 4), 0, fnv1a32(name.stream), name.step];
      const word = philox4x32(counter, [5, 2])[element % 4];
      const scaled = x * 4;
      const fraction = (scaled - Math.floor(scaled)) * 2 ** 32;
      return (Math.floor(scaled) + (word < fraction ? 1 : 0)) / 4;
    });
    expect(kernels.roundStochasticSync(values, byte, name)).toEqual(expected);
    expect(await kernels.roundStochastic(values, byte, name)).toEqual(expected);
    expect(await kernels.roundStochastic(values, byte, { ...name, stream: fnv1a32(name.stream) })).toEqual(
      expected,
    );
    expect(kernels.roundStochasticSync(values, byte, { ...name, step: 4 })).not.toEqual(expected);
    const rest = { ...name, firstElement: 16 };
    expect(kernels.roundStochasticSync(values.subarray(10), byte, rest)).toEqual(expected.subarray(10));
  });

  it('runs on a stream of its own where it is given one', async () => {
    const stream = new Stream({ threads: 2, isa: 'portable' });
    const values = Float32Array.from({ length: 50 }, (_, i) => i / 7);
    expect(await kernels.roundStochastic(values, byte, { seed: 1 }, { stream })).toEqual(
      kernels.roundStochasticSync(values, byte, { seed: 1 }),
    );
    stream.close();
    await expect(kernels.trim(values, byte, { stream })).rejects.toThrow('closed');
  });

  it('refuses names that are none', () => {
    const round = (name: object) => () => kernels.roundStochasticSync(new Float32Array(1), byte, name);
    expect(round({ seed: -1 })).toThrow('seed: must be a whole number');
    expect(round({ stream: 2 ** 32 })).toThrow('stream: must be');
    expect(round({ step: 0.5 })).toThrow('step: must be');
  });
});

describe('kernels.range', () => {
  it('says what the values are', async () => {
    const values = Float32Array.from([0, 1.5, -3, 200, Infinity, NaN, -0.001]);
    const range = kernels.rangeSync(values, { format: byte });
    expect(range).toMatchObject({ least: -3, greatest: Infinity, largestMagnitude: Infinity });
    expect(range).toMatchObject({ nans: 1, infinities: 1, saturated: 2 });
    const filled = [...range.exponents.entries()].filter(([, count]) => count > 0);
    expect(filled).toEqual([
      [0, 1],
      [117, 1],
      [127, 1],
      [128, 1],
      [134, 1],
      [255, 2],
    ]);
    expect(await kernels.range(values, { format: byte })).toEqual(range);
    expect(kernels.rangeSync(values).saturated).toBe(0);
  });

  it('has no values to speak of in an empty array', () => {
    const empty = kernels.rangeSync(new Float32Array(0));
    expect(empty).toMatchObject({ least: Infinity, greatest: -Infinity, largestMagnitude: 0, nans: 0 });
  });

  it('refuses other arrays', () => {
    expect(() => kernels.rangeSync(new Float64Array(1) as unknown as Float32Array)).toThrow('Float32Array');
  });
});

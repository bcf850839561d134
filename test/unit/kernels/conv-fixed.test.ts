import { describe, expect, it } from 'vitest';
import { kernels, Stream, UsageError } from '../../../lib/index.js';
import type { CodeArray, ConvFixed } from '../../../lib/kernels/index.js';

/** The same numbers on every run. */
function randomIntegers(seed: number) {
  let state = seed;
  return (least: number, greatest: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return least + ((state >>> 8) % (greatest - least + 1));
  };
}

/** Sums of these cases are exact in doubles; rounds half away from zero. */
function rounded(x: number, shift: number, bitWidth: number): number {
  const scaled = x * 2 ** -shift;
  const code = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
  return Math.max(-(2 ** (bitWidth - 1)), Math.min(2 ** (bitWidth - 1) - 1, code)) + 0;
}

const both = (extent: ConvFixed['stride'], absent: number): readonly [number, number] =>
  typeof extent === 'object' ? extent : [extent ?? absent, extent ?? absent];

/** The definition, one loop per index. */
function expected(a: ConvFixed): number[] {
  const [N, H, W, C] = a.shape;
  const [K, groupC, R, S] = a.weightsShape;
  const [strideH, strideW] = both(a.stride, 1);
  const [padH, padW] = both(a.pad, 0);
  const [dilationH, dilationW] = both(a.dilation, 1);
  const P = Math.floor((H + 2 * padH - dilationH * (R - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - dilationW * (S - 1) - 1) / strideW) + 1;
  const zero = a.src instanceof Uint8Array ? 128 : 0;
  const codes: number[] = [];
  for (let n = 0; n < N; n++)
    for (let p = 0; p < P; p++)
      for (let q = 0; q < Q; q++)
        for (let k = 0; k < K; k++) {
          let sum = (a.bias?.[k] ?? 0) * 2 ** a.srcFractionalLength;
          for (let c = 0; c < groupC; c++)
            for (let r = 0; r < R; r++)
              for (let s = 0; s < S; s++) {
                const h = p * strideH - padH + r * dilationH;
                const w = q * strideW - padW + s * dilationW;
                if (h < 0 || h >= H || w < 0 || w >= W) continue;
                const channel = Math.floor(k / (K / (a.group ?? 1))) * groupC + c;
                const code = a.src[((n * H + h) * W + w) * C + channel] - zero;
                sum += code * a.weights[((k * groupC + c) * R + r) * S + s];
              }
          const length = a.srcFractionalLength + a.weightsFractionalLength;
          let code = rounded(sum, length - a.output.fractionalLength, a.output.bitWidth);
          if (a.relu) code = Math.max(0, code);
          if (a.consumer)
            code = rounded(
              code,
              a.output.fractionalLength - a.consumer.fractionalLength,
              a.consumer.bitWidth,
            );
          codes.push(code);
        }
  return codes;
}

const integer = randomIntegers(1);
const fill = <T extends CodeArray | Int32Array>(data: T, least: number, greatest: number): T =>
  data.map(() => integer(least, greatest)) as T;

function problem(more: Partial<ConvFixed> = {}): ConvFixed {
  return {
    src: fill(new Int8Array(2 * 7 * 6 * 4), -128, 127),
    shape: [2, 7, 6, 4],
    weights: fill(new Int8Array(10 * 4 * 3 * 3), -128, 127),
    weightsShape: [10, 4, 3, 3],
    bias: fill(new Int32Array(10), -1000, 1000),
    srcFractionalLength: 5,
    weightsFractionalLength: 7,
    output: { bitWidth: 8, fractionalLength: 2 },
    ...more,
  };
}

describe('kernels.convFixed', () => {
  it.each<[string, Partial<ConvFixed>]>([
    ['bytes', {}],
    ['offset bytes', { src: fill(new Uint8Array(336), 0, 255), pad: 1 }],
    [
      'words',
      { src: fill(new Int16Array(336), -32768, 32767), output: { bitWidth: 16, fractionalLength: 0 } },
    ],
    ['a range', { src: fill(new Int8Array(336), 0, 100), range: [0, 100], relu: true }],
    ['stride, padding, dilation', { stride: [2, 1], pad: [2, 3], dilation: [2, 1] }],
    [
      'groups',
      { weights: fill(new Int8Array(10 * 2 * 9), -128, 127), weightsShape: [10, 2, 3, 3], group: 2 },
    ],
    [
      'no bias, words of weights',
      { bias: null, weights: fill(new Int16Array(360), -3000, 3000), weightsFractionalLength: 12 },
    ],
    ['a consumer', { relu: true, consumer: { bitWidth: 6, fractionalLength: -1 }, pad: 1 }],
    [
      'an inner product',
      { weights: fill(new Int8Array(10 * 4 * 42), -128, 127), weightsShape: [10, 4, 7, 6] },
    ],
  ])("gives the definition's codes: %s", async (_, more) => {
    const given = problem(more);
    const sync = kernels.convFixedSync(given);
    const result = await kernels.convFixed(given);
    expect([...result.data]).toEqual(expected(given));
    expect(sync).toEqual(result);
    expect(result.shape.reduce((a, b) => a * b)).toBe(result.data.length);
  });

  it('stores codes as it is told to', () => {
    const given = problem();
    const codes = expected(given);
    expect(kernels.convFixedSync(given).data).toEqual(Int8Array.from(codes));
    expect(kernels.convFixedSync({ ...given, dstType: 'i16' }).data).toEqual(Int16Array.from(codes));
    expect(kernels.convFixedSync({ ...given, dstType: 'u8' }).data).toEqual(
      Uint8Array.from(codes, (c) => c + 128),
    );
  });

  it('copies its operands before it returns', async () => {
    const given = problem();
    const codes = expected(given);
    const stream = new Stream({ threads: 1 });
    const pending = kernels.convFixed(given, { stream });
    given.src.fill(0);
    given.weights.fill(0);
    given.bias!.fill(0);
    expect([...(await pending).data]).toEqual(codes);
    stream.close();
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'src of another class',
      { src: new Float32Array(336) },
      /^src: must be Int8Array or Uint8Array or Int16Array/,
    ],
    ['too few codes', { src: new Int8Array(335) }, /^src: has 335 elements, not 336/],
    ['a shape without channels', { shape: [2, 7, 6] }, /^shape: must be \[images, height, width, channels\]/],
    ['a size of 0', { shape: [2, 0, 6, 4] }, /^shape: height: must be a whole number from 1/],
    ['too many weights', { weights: new Int8Array(361) }, /^weights: has 361 elements, not 360/],
    ['weights of another depth', { shape: [2, 7, 3, 8] }, /^weightsShape: .*does not fit 8 channels/],
    ['too few biases', { bias: new Int32Array(9) }, /^bias: has 9 elements/],
    ['a stride of 0', { stride: 0 }, /^stride: must be a whole number from 1/],
    ['three paddings', { pad: [1, 1, 1] }, /^pad: must be a number, or two/],
    ['half a dilation', { dilation: 0.5 }, /^dilation: must be a whole number/],
    ['a kernel beyond the input', { dilation: 4 }, /exceeds the padded input/],
    ['no output format', { output: undefined }, /^output: must be/],
    ['17 bits', { output: { bitWidth: 17, fractionalLength: 0 } }, /^output\.bitWidth: .*not 17/],
    ['no fractional length', { srcFractionalLength: undefined }, /^srcFractionalLength: /],
    [
      'codes beyond the range',
      { range: [-100, 100] },
      /^range: code -?\d+ at \d+ of src is not in -100\.\.100/,
    ],
    ['another storage', { dstType: 'f32' }, /^dstType: must be i8, u8 or i16/],
    [
      'a format beyond the storage',
      { output: { bitWidth: 9, fractionalLength: 0 }, dstType: 'i8' },
      /9 bits/,
    ],
    ['stochastic rounding', { rounding: 'stochastic' }, /stochastic/],
  ])('refuses %s', async (_, more, message) => {
    const given = { ...problem(), ...more } as ConvFixed;
    expect(() => kernels.convFixedSync(given)).toThrow(UsageError);
    expect(() => kernels.convFixedSync(given)).toThrow(message);
    await expect(kernels.convFixed(given)).rejects.toThrow(message);
  });
});

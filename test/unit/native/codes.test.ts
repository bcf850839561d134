import { describe, expect, it } from 'vitest';
import {
  CodeTensor,
  fixedBound,
  NativeMemory,
  ops,
  Stream,
  Tensor,
  type CodeLayout,
} from '../../../lib/native/index.js';

const memory = (bytes: number) => new NativeMemory(bytes);
const floats = (values: number[], shape: number[]) => {
  const buffer = memory(values.length * 4);
  new Float32Array(buffer.arrayBuffer).set(values);
  return new Tensor(buffer, 0, 'f32', shape);
};
const bytes = (values: number[], shape: number[]) => {
  const buffer = memory(values.length);
  new Int8Array(buffer.arrayBuffer).set(values);
  return new Tensor(buffer, 0, 'i8', shape);
};
const stream = () => new Stream({ threads: 2 });
const format = (bitWidth: number, fractionalLength: number) => ({ bitWidth, fractionalLength });

describe('CodeTensor', () => {
  const layout = (more: Partial<CodeLayout> = {}): CodeLayout => ({
    type: 'i8',
    shape: [2, 3, 4, 5],
    ...more,
  });
  it('is dense where no strides are given', () => {
    expect(() => new CodeTensor(memory(120), 0, layout())).not.toThrow();
    expect(() => new CodeTensor(memory(119), 0, layout())).toThrow(/does not fit its Buffer/);
    expect(() => new CodeTensor(memory(121), 1, layout())).not.toThrow();
    expect(() => new CodeTensor(memory(121), 2, layout())).toThrow(/does not fit/);
    expect(() => new CodeTensor(memory(239), 0, layout({ type: 'i16' }))).toThrow(/does not fit/);
    expect(() => new CodeTensor(memory(243), 1, layout({ type: 'i16' }))).toThrow(/does not fit/);
  });
  it('has its halo before and behind its first and last code', () => {
    // Rows of 6 pixels: code 0 stands one row and one pixel in.
    const haloed = layout({ halo: [1, 1] });
    const total = 2 * 5 * 6 * 5;
    expect(() => new CodeTensor(memory(total), 35, haloed)).not.toThrow();
    expect(() => new CodeTensor(memory(total), 34, haloed)).toThrow(/does not fit/);
    expect(() => new CodeTensor(memory(total), 36, haloed)).toThrow(/does not fit/);
  });
  it('may be a slice of the channels', () => {
    const slice = layout({ strides: [96, 32, 8] });
    expect(() => new CodeTensor(memory(96 * 2 - 3), 0, slice)).not.toThrow();
    expect(() => new CodeTensor(memory(96 * 2 - 4), 0, slice)).toThrow(/does not fit/);
  });
  it('refuses layouts that make no sense', () => {
    const of = (more: Partial<CodeLayout>) => () => new CodeTensor(memory(4096), 1024, layout(more));
    expect(of({ strides: [96, 32, 4] })).toThrow(/strides/);
    expect(of({ strides: [96, 31, 8] })).toThrow(/strides/);
    expect(of({ strides: [95, 32, 8] })).toThrow(/strides/);
    expect(of({ strides: [0, 0, 0] })).toThrow(/strides/);
    expect(of({ range: [-129, 127] })).toThrow(/codes from -129/);
    expect(of({ range: [1, 0] })).toThrow(/codes from 1 to 0/);
    expect(of({ range: [0] as unknown as [number, number] })).toThrow(/2 whole numbers/);
    expect(of({ shape: [1, 2, 3] as unknown as [number, number, number, number] })).toThrow(/4 whole/);
    expect(of({ shape: [1, 0, 3, 4] })).toThrow(/shape/);
    expect(of({ shape: [2 ** 39, 2 ** 39, 2 ** 39, 2 ** 39] })).toThrow(/too large/);
    expect(of({ halo: [2 ** 40, 2 ** 40] })).toThrow(/too large/);
    expect(of({ shape: [1.5, 1, 1, 1] })).toThrow(/whole number/);
    expect(of({ type: 'f32' as 'i8' })).toThrow(/type must be/);
    expect(() => new CodeTensor({} as never, 0, layout())).toThrow(/needs a Buffer/);
    expect(() => new CodeTensor(memory(8), 0, undefined as never)).toThrow(/layout must be an object/);
  });
});

describe('ops on codes', () => {
  it('quantise to channels last with a halo, and back', () => {
    const s = stream();
    const buffer = memory(4 * 4 * 2);
    new Uint8Array(buffer.arrayBuffer).fill(7);
    const codes = new CodeTensor(buffer, 4 * 2 + 2, { type: 'u8', shape: [1, 2, 2, 2], halo: [1, 1] });
    const src = floats([0.5, -0.5, 1.25, -9, 9, 0.3, 0, -0.25], [1, 2, 2, 2]);
    ops.quantise(s, { src, dst: codes, format: format(4, 1) });
    const back = memory(32);
    ops.dequantise(s, { src: codes, dst: new Tensor(back, 0, 'f32', [1, 2, 2, 2]), fractionalLength: 1 });
    s.syncBlocking();
    expect([...new Float32Array(back.arrayBuffer)]).toEqual([0.5, -0.5, 1.5, -4, 3.5, 0.5, 0, -0.5]);
    const rows = [...new Uint8Array(buffer.arrayBuffer)].map((code) => code - 128);
    const [zero, halo] = [Array(8).fill(0), [0, 0]];
    expect(rows).toEqual([...zero, ...halo, 1, 7, -1, 1, ...halo, ...halo, 3, 0, -8, -1, ...halo, ...zero]);
    s.close();
  });
  it('refuse a NaN, naming the layer', () => {
    const s = stream();
    const dst = new CodeTensor(memory(4), 0, { type: 'i8', shape: [1, 1, 1, 4] });
    ops.quantise(s, { label: 'data', src: floats([0, NaN, 0, 0], [1, 4]), dst, format: format(8, 0) });
    expect(() => s.syncBlocking()).toThrow(/data.*NaN/);
    const weights = new Tensor(memory(16), 0, 'i32', [4]);
    ops.quantiseTensor(s, { label: 'w', src: floats([0, 0, NaN, 0], [4]), dst: weights, format: format(8, 0) });
    expect(() => s.syncBlocking()).toThrow(/w.*NaN/);
    s.close();
  });
  it('quantise weights and biases', () => {
    const s = stream();
    const src = floats([0.25, -0.75, 1e9, -1e9], [2, 2]);
    const results = (['i8', 'i16', 'i32'] as const).map((type) => {
      const buffer = memory(16);
      const bits = { i8: 8, i16: 16, i32: 32 }[type];
      ops.quantiseTensor(s, {
        src,
        dst: new Tensor(buffer, 0, type, [2, 2]),
        format: format(bits, 1),
        rounding: 'halfToEven',
      });
      return new { i8: Int8Array, i16: Int16Array, i32: Int32Array }[type](buffer.arrayBuffer, 0, 4);
    });
    expect(() =>
      ops.quantiseTensor(s, { src, dst: new Tensor(memory(4), 0, 'i8', [2, 2]), format: format(9, 0) }),
    ).toThrow(/9 bits/);
    s.syncBlocking();
    expect(results.map((r) => [...r])).toEqual([
      [0, -2, 127, -128],
      [0, -2, 32767, -32768],
      [0, -2, 2000000000, -2000000000],
    ]);
    s.close();
  });
  it('requantise and pool', () => {
    const s = stream();
    const a = memory(16);
    new Int8Array(a.arrayBuffer).set([1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12, 13, -14, 15, -16]);
    const src = new CodeTensor(a, 0, { type: 'i8', shape: [1, 2, 4, 2] });
    const b = memory(16);
    const half = new CodeTensor(b, 0, { type: 'i8', shape: [1, 2, 4, 2] });
    ops.requantise(s, { src, dst: half, srcFractionalLength: 1, format: format(8, 0), relu: true });
    const c = memory(4);
    const window = { kernelH: 2, kernelW: 2, strideH: 2, strideW: 2, padH: 0, padW: 0 };
    ops.maxPoolingCodes(s, { src, dst: new CodeTensor(c, 0, { type: 'i8', shape: [1, 1, 2, 2] }), ...window });
    const d = memory(16);
    const mean = new Tensor(d, 0, 'f32', [1, 2, 1, 2]);
    ops.averagePoolingCodes(s, { src, dst: mean, fractionalLength: 1, ...window });
    s.syncBlocking();
    expect([...new Int8Array(b.arrayBuffer)]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0]);
    expect([...new Int8Array(c.arrayBuffer)]).toEqual([11, -2, 15, -6]);
    expect([...new Float32Array(d.arrayBuffer)]).toEqual([3, 5, -3.5, -5.5]);
    s.close();
  });
  it('convolve, and bound their sums', () => {
    const s = stream();
    const a = memory(4);
    new Int8Array(a.arrayBuffer).set([1, 2, -3, 4]);
    const b = memory(2);
    const bias = memory(8);
    new Int32Array(bias.arrayBuffer).set([1, -1]);
    const fields = {
      src: new CodeTensor(a, 0, { type: 'i8', shape: [1, 1, 1, 4] }),
      weights: bytes([1, 1, 1, 1, 2, 3, 4, -5], [2, 4, 1, 1]),
      bias: new Tensor(bias, 0, 'i32', [2]),
      dst: new CodeTensor(b, 0, { type: 'i8', shape: [1, 1, 1, 2] }),
      ...{ strideH: 1, strideW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1, group: 1 },
      srcFractionalLength: 1,
      weightsFractionalLength: 0,
      output: format(8, 0),
    };
    ops.convolutionFixed(s, fields);
    s.syncBlocking();
    // (4 + 2) / 2 and (-24 - 2) / 2.
    expect([...new Int8Array(b.arrayBuffer)]).toEqual([3, -13]);
    ops.convolutionFixed(s, { ...fields, consumer: format(8, -1), relu: true });
    s.syncBlocking();
    expect([...new Int8Array(b.arrayBuffer)]).toEqual([2, 0]);
    // 128 * 14 = 1792, and 1792 + 2 + 1.
    expect(fixedBound(fields)).toEqual({ sumBits: 11, accBits: 11 });
    expect(fixedBound({ ...fields, srcFractionalLength: -60 }).accBits).toBe(71);
    expect(() => fixedBound({ ...fields, bias: new Tensor(bias, 0, 'i32', [1]) })).toThrow(/bias/);
    expect(() => ops.convolutionFixed(s, { ...fields, srcFractionalLength: -60 })).toThrow(/63 bits/);
    expect(() => ops.convolutionFixed(s, { ...fields, src: fields.weights as never })).toThrow(/CodeTensor/);
    s.close();
  });
});

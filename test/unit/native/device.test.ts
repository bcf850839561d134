// Streams and memory of a GPU that the host executor plays.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Native from '../../../lib/native/index.js';

let native: typeof Native;
beforeAll(async () => {
  // Read when the addon is loaded, in this test's own process.
  process.env.RISTRETTO_EMULATED_GPU = '1';
  native = await import('../../../lib/native/index.js');
  native.useDevice(0);
});
afterAll(() => native.useDevice(null));

const format = { kind: 'dynamicFixedPoint', bitWidth: 8, fractionalLength: 4 } as const;

function tensor(
  values: readonly number[],
  shape = [values.length],
): { view: Native.NativeTensor; data: Float32Array } {
  const memory = new native.NativeMemory(4 * values.length);
  const data = new Float32Array(memory.arrayBuffer);
  data.set(values);
  return { view: new native.Tensor(memory, 0, 'f32', shape), data };
}

describe('a stream of a GPU', () => {
  it('is one where no instruction set is asked for', () => {
    const here = new native.Stream();
    const portable = new native.Stream({ isa: 'portable' });
    expect([here.onDevice, portable.onDevice]).toEqual([true, false]);
    [here, portable].forEach((stream) => stream.close());
  });

  it('runs ops with kernels and ops without in order, on the same memory', async () => {
    const stream = new native.Stream();
    const src = tensor([0.03, 1.26, -3.3, 40]);
    const middle = tensor([0, 0, 0, 0]);
    const dst = tensor([0, 0, 0, 0]);
    native.ops.trim(stream, { src: src.view, dst: middle.view, format });
    // Elements that meet in one place are left to the processor.
    native.ops.copyStrided(stream, {
      src: middle.view,
      dst: dst.view,
      counts: [2, 2],
      srcStrides: [2, 1],
      dstStrides: [1, 1],
      accumulate: true,
    });
    native.ops.trim(stream, { src: dst.view, dst: src.view, format });
    await stream.sync();
    expect([...dst.data]).toEqual([0, 1.25 - 3.3125, 7.9375, 0]);
    expect([...src.data]).toEqual([...dst.data]);
    stream.close();
  });

  it('names the op that was given a row outside its table', async () => {
    const stream = new native.Stream();
    const table = tensor([1, 2, 3, 4], [2, 2]);
    const index = tensor([1, 0, 2]);
    const rows = tensor([0, 0, 0, 0, 0, 0], [3, 2]);
    const fields = { table: table.view, index: index.view, label: 'words' };
    native.ops.gatherRows(stream, { ...fields, dst: rows.view });
    await expect(stream.sync()).rejects.toThrow("words: an index is outside the table's rows");
    expect([...rows.data]).toEqual([3, 4, 1, 2, 0, 0]);
    native.ops.scatterRows(stream, { ...fields, src: rows.view });
    await expect(stream.sync()).rejects.toThrow("words: an index is outside the table's rows");
    index.data[2] = 1;
    native.ops.scatterRows(stream, { ...fields, src: rows.view, overwrite: true });
    await stream.sync();
    expect([...table.data]).toEqual([1, 2, 3, 4]);
    stream.close();
  });

  it('replays a recording as it reads now', async () => {
    const stream = new native.Stream();
    const src = tensor([0]);
    const dst = tensor([0]);
    stream.beginCapture();
    native.ops.trim(stream, { src: src.view, dst: dst.view, format, label: 'in a graph' });
    const graph = stream.endCapture();
    for (let i = 0; i < 4; i++) {
      src.data[0] = i + 0.26;
      stream.launch(graph);
      await stream.sync();
      expect(dst.data[0]).toBe(i + 0.25);
    }
    src.data[0] = NaN;
    stream.launch(graph);
    await expect(stream.sync()).rejects.toThrow('in a graph: NaN in the data to be trimmed');
    src.data[0] = 2;
    stream.launch(graph);
    await stream.sync();
    expect(dst.data[0]).toBe(2);
    stream.close();
  });

  it('names the op that met a NaN, though others have been launched behind it', async () => {
    const stream = new native.Stream();
    const good = tensor([1]);
    const bad = tensor([NaN]);
    const dst = tensor([0]);
    native.ops.trim(stream, { src: good.view, dst: dst.view, format, label: 'before' });
    native.ops.trim(stream, { src: bad.view, dst: dst.view, format, label: 'guilty' });
    native.ops.trim(stream, { src: good.view, dst: dst.view, format, label: 'behind' });
    expect(() => stream.syncBlocking()).toThrow('guilty: NaN in the data to be trimmed');
    stream.syncBlocking();
    stream.close();
  });
});

it.each([
  ['fp32', 1 + 2 ** -7 + 2 ** -10 + 2 ** -20],
  ['tf32', 1 + 2 ** -7 + 2 ** -10],
  ['bf16', 1 + 2 ** -7],
] as const)('multiplies in %s', async (math, product) => {
  native.useDevice(0, { math });
  const stream = new native.Stream();
  const src = tensor([1 + 2 ** -7 + 2 ** -10 + 2 ** -20], [1, 1]);
  const weights = tensor([1], [1, 1]);
  const dst = tensor([0], [1, 1]);
  native.ops.innerProduct(stream, { src: src.view, weights: weights.view, dst: dst.view });
  await stream.sync();
  expect(dst.data[0]).toBe(product);
  stream.close();
  native.useDevice(0);
});

describe('copy', () => {
  it('brings pinned memory to the GPU', async () => {
    const pinned = new native.NativeMemory(5, native.currentDevice(), true);
    const there = new native.NativeMemory(5);
    new Uint8Array(pinned.arrayBuffer).set([1, 2, 3, 4, 255]);
    const stream = new native.Stream({ threads: 1 });
    const view = (memory: Native.NativeBuffer) => new native.Tensor(memory, 0, 'u8', [5]);
    native.ops.copy(stream, { src: view(pinned), dst: view(there) });
    await stream.sync();
    expect([...new Uint8Array(there.arrayBuffer)]).toEqual([1, 2, 3, 4, 255]);
    stream.close();
  });

  it('refuses other types and counts, and slices', () => {
    const stream = new native.Stream();
    const memory = new native.NativeMemory(64);
    const of = (type: Native.DataType, shape: number[], stride?: number) =>
      new native.Tensor(memory, 0, type, shape, stride);
    const copy = (src: Native.NativeTensor, dst: Native.NativeTensor) => () =>
      native.ops.copy(stream, { src, dst });
    expect(copy(of('u8', [4]), of('i8', [4]))).toThrow('different types');
    expect(copy(of('u8', [4]), of('u8', [5]))).toThrow('different counts');
    expect(copy(of('f32', [2, 2], 4), of('f32', [4]))).toThrow('must have no gaps');
    stream.close();
  });
});

it('refuses what is no GPU', () => {
  expect(() => native.useDevice(1)).toThrow('there is no GPU 1: this machine has 1');
  expect(() => native.useDevice(-1)).toThrow('id: useDevice takes a whole number from 0');
  expect(() => native.useDevice(0, { memoryLimit: -5 })).toThrow('memoryLimit: useDevice takes a number of bytes, not -5');
  expect(() => native.useDevice(0, { math: 'fp8' as 'bf16' })).toThrow("math: useDevice takes one of 'fp32', 'tf32', 'bf16', not 'fp8'");
});

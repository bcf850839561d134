// Captured graphs: what a stream recorded runs again with the results, errors and profile of the ops themselves.
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../lib/errors/index.js';
import {
  NativeMemory,
  ops,
  Stream,
  Tensor,
  type NativeGraph,
  type NativeStream,
} from '../../../lib/native/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Floats {
  tensor: InstanceType<typeof Tensor>;
  values: Float32Array;
}

function floats(...values: number[]): Floats {
  const memory = new NativeMemory(4 * values.length);
  const view = new Float32Array(memory.arrayBuffer);
  view.set(values);
  return { tensor: new Tensor(memory, 0, 'f32', [1, values.length]), values: view };
}

/** dst = (scale * src + shift)^power. */
function power(
  stream: NativeStream,
  src: Floats,
  dst: Floats,
  [scale, shift, exponent]: readonly [number, number, number],
  label?: string,
): void {
  const fields = { src: src.tensor, dst: dst.tensor, a: scale, b: shift, c: exponent, label };
  ops.unary(stream, { ...fields, function: 'power' });
}

/** dst = (src + 1)^2 in two ops of the layers 'plus' and 'square'. */
function enqueue(stream: NativeStream, src: Floats, between: Floats, dst: Floats): void {
  power(stream, src, between, [1, 1, 1], 'plus');
  power(stream, between, dst, [1, 0, 2], 'square');
}

function capture(stream: NativeStream, record: () => void): NativeGraph {
  stream.beginCapture();
  record();
  return stream.endCapture();
}

/** A gather that fails when it runs if `index` holds a row that the table of two rows lacks. */
function gather(stream: NativeStream, index: Floats, dst: Floats, label: string): void {
  const table = new Tensor(new NativeMemory(16), 0, 'f32', [2, 2]);
  ops.gatherRows(stream, { table, index: index.tensor, dst: dst.tensor, label });
}

describe('a captured graph', () => {
  it('runs nothing while it is captured, then what was recorded, on the values of each launch', async () => {
    const stream = new Stream({ threads: 2 });
    const [src, between, dst, plain] = [floats(1, 2, 3), floats(0, 0, 0), floats(0, 0, 0), floats(0, 0, 0)];
    const graph = capture(stream, () => enqueue(stream, src, between, dst));
    await stream.sync();
    expect([...between.values, ...dst.values]).toEqual([0, 0, 0, 0, 0, 0]);
    stream.launch(graph);
    await stream.sync();
    expect([...dst.values]).toEqual([4, 9, 16]);
    src.values.set([-1, 0.5, 9]);
    stream.launch(graph);
    enqueue(stream, src, between, plain);
    stream.syncBlocking();
    expect([...dst.values]).toEqual([0, 2.25, 100]);
    expect([...plain.values]).toEqual([...dst.values]);
  });

  it('keeps its place among other ops and graphs', async () => {
    const stream = new Stream({ threads: 1 });
    const x = floats(1);
    const twice = capture(stream, () =>
      power(stream, x, x, [2, 0, 1]),
    );
    const plusOne = () =>
      power(stream, x, x, [1, 1, 1]);
    stream.launch(twice);
    plusOne();
    stream.launch(twice);
    stream.launch(twice);
    plusOne();
    await stream.sync();
    expect(x.values[0]).toBe(13);
  });

  it('keeps its operands alive', async () => {
    const stream = new Stream({ threads: 1 });
    const dst = floats(0);
    const graph = capture(stream, () => {
      const src = floats(6);
      power(stream, src, dst, [7, 0, 1]);
    });
    // Finalisers run in turns of their own; what they let go of is then handed out again.
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await setImmediate();
    }
    for (let i = 0; i < 50; i++) floats(-1);
    stream.launch(graph);
    await stream.sync();
    expect(dst.values[0]).toBe(42);
  });

  it('may be empty, and may be launched by another stream', async () => {
    const [a, b] = [new Stream({ threads: 1 }), new Stream({ threads: 1 })];
    const [src, between, dst] = [floats(1), floats(0), floats(0)];
    a.launch(capture(a, () => undefined));
    const graph = capture(a, () => enqueue(a, src, between, dst));
    b.launch(graph);
    await Promise.all([a.sync(), b.sync()]);
    expect(dst.values[0]).toBe(4);
  });

  it('checks ops when they are recorded, and stays open for the next', () => {
    const stream = new Stream({ threads: 1 });
    const [short, long] = [floats(1), floats(1, 2)];
    stream.beginCapture();
    expect(() =>
      ops.unary(stream, { src: short.tensor, dst: long.tensor, function: 'relu', label: 'wide' }),
    ).toThrow(expect.objectContaining({ layer: 'wide' }));
    enqueue(stream, short, floats(0), short);
    stream.launch(stream.endCapture());
    stream.syncBlocking();
    expect(short.values[0]).toBe(4);
  });

  it('names the layer that fails, runs nothing behind it, and runs again after the sync', async () => {
    const stream = new Stream({ threads: 1 });
    const [index, rows] = [floats(5), floats(0, 0)];
    const [src, between, dst] = [floats(1), floats(0), floats(0)];
    const graph = capture(stream, () => {
      gather(stream, index, rows, 'lookup');
      enqueue(stream, src, between, dst);
    });
    stream.launch(graph);
    await expect(stream.sync()).rejects.toThrow(/^layer 'lookup': /);
    expect([...between.values, ...dst.values]).toEqual([0, 0]);
    index.values[0] = 1;
    stream.launch(graph);
    await stream.sync();
    expect(dst.values[0]).toBe(4);
  });

  it('is profiled op by op', async () => {
    const stream = new Stream({ threads: 1, profile: true });
    const [src, between, dst] = [floats(1), floats(0), floats(0)];
    const graph = capture(stream, () => enqueue(stream, src, between, dst));
    for (let i = 0; i < 3; i++) stream.launch(graph);
    enqueue(stream, src, between, dst);
    await stream.sync();
    expect(stream.profile().map(({ label, op, calls }) => [label, op, calls])).toEqual([
      ['plus', 'unary', 4],
      ['square', 'unary', 4],
    ]);
  });
});

describe('misuse of a capture', () => {
  it('is an error that says what to do', async () => {
    const stream = new Stream({ threads: 1 });
    expect(() => stream.endCapture()).toThrow(/endCapture: the stream is not capturing.*beginCapture/);
    const empty = capture(stream, () => undefined);
    stream.beginCapture();
    expect(() => stream.beginCapture()).toThrow(/beginCapture: the stream is capturing.*endCapture/);
    await expect(stream.sync()).rejects.toThrow(/sync: the stream is capturing/);
    expect(() => stream.syncBlocking()).toThrow(/syncBlocking: the stream is capturing/);
    expect(() => stream.launch(empty)).toThrow(/launch: the stream is capturing/);
    stream.endCapture();
    expect(() => stream.endCapture()).toThrow(/not capturing/);
    stream.syncBlocking();
  });

  it('is an error where something else is launched', () => {
    const stream = new Stream({ threads: 1 });
    for (const other of [undefined, null, {}, 3, stream, floats(1).tensor])
      expect(() => stream.launch(other as unknown as NativeGraph)).toThrow(/launch: the argument must be a/);
  });

  it('is an error on a closed stream', async () => {
    const stream = new Stream({ threads: 1 });
    const graph = capture(stream, () => undefined);
    stream.close();
    expect(() => stream.beginCapture()).toThrow(/the stream is closed/);
    expect(() => stream.launch(graph)).toThrow(/the stream is closed/);
    for (const use of [() => stream.endCapture(), () => stream.syncBlocking(), () => stream.beginCapture()])
      expect(use).toThrow(UsageError);
    await expect(stream.sync()).rejects.toThrow(new UsageError('the stream is closed'));
    expect(stream.closed).toBe(true);
  });
});

// What finite differences do not tell of backward passes: which diffs are read, which are left alone, where diffs
// share memory, and which random words are drawn again.
import { describe, expect, it } from 'vitest';
import { Net } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import type { BackwardPass } from '../../../lib/graph/layer.js';
import { Stream } from '../../../lib/native/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';
import { forward, makeLayer } from './run-layer.js';

type Made = Awaited<ReturnType<typeof makeLayer>>;

async function backward({ layer, bottom, top }: Made, more: Partial<BackwardPass> = {}): Promise<void> {
  const stream = new Stream({ threads: 2 });
  await layer.backward(
    {
      bottom,
      top,
      propagateDown: bottom.map(() => true),
      topHasDiff: top.map(() => true),
      paramWanted: layer.blobs.map(() => true),
      ...more,
    },
    stream,
  );
  await stream.sync();
  stream.close();
}

const two = { shape: [2, 2], values: [1, 2, 3, 4] };

it('Split adds up the diffs of the tops that have one', async () => {
  const made = await makeLayer('Split', '', [two], { tops: 3 });
  for (const [i, top] of made.top.entries()) top.diff.fill(10 ** i);
  await backward(made);
  expect([...made.bottom[0].diff]).toEqual([111, 111, 111, 111]);
  made.top[1].diff.fill(NaN);
  await backward(made, { topHasDiff: [true, false, true] });
  expect([...made.bottom[0].diff]).toEqual([101, 101, 101, 101]);
});

it.each([
  ['Flatten', ''],
  ['Reshape', 'reshape_param { shape { dim: 4 } }'],
  ['Dropout', ''],
  ['Concat', ''],
  ['Slice', ''],
])('%s without work has its bottom’s diff for its top’s', async (type, text) => {
  const made = await makeLayer(type, text, [two]);
  made.top[0].diff.set([5, 6, 7, 8]);
  await backward(made);
  expect([...made.bottom[0].diff]).toEqual([5, 6, 7, 8]);
  expect(made.top[0].diffOwner).toBe(made.bottom[0]);
});

it('Silence gives zeros, to those who ask', async () => {
  const made = await makeLayer('Silence', '', [two, two, { shape: [] }], { tops: 0 });
  for (const blob of made.bottom) blob.diff.fill(3);
  await backward(made, { propagateDown: [true, false, true] });
  expect(made.bottom.map(({ diff }) => [...diff])).toEqual([[0, 0, 0, 0], [3, 3, 3, 3], [0]]);
});

it('Parameter adds to the diff of its parameter', async () => {
  const made = await makeLayer('Parameter', 'parameter_param { shape { dim: 2 } }', []);
  made.layer.blobs[0].diff.set([1, 2]);
  made.top[0].diff.set([10, 20]);
  await backward(made);
  await backward(made);
  expect([...made.layer.blobs[0].diff]).toEqual([21, 42]);
});

it('Filter gives zeros where nothing passed', async () => {
  const made = await makeLayer('Filter', '', [two, { shape: [2], values: [0, 0] }]);
  await forward(made);
  made.bottom[0].diff.fill(3);
  await backward(made, { propagateDown: [true, false] });
  expect([...made.bottom[0].diff]).toEqual([0, 0, 0, 0]);
});

it.each([
  ['Filter', { shape: [2], values: [1, 0] }],
  ['BatchReindex', { shape: [2], values: [1, 0] }],
])('%s has no gradient for what it is steered by', async (type, steering) => {
  const made = await makeLayer(type, '', [two, steering]);
  await forward(made);
  expect(made.layer.takesDiff(0)).toBe(true);
  expect(made.layer.takesDiff(1)).toBe(false);
  await expect(backward(made, { propagateDown: [true, true] })).rejects.toThrow(/has no gradient/);
});

it('leaves alone the diffs that are not wanted', async () => {
  const plane = { shape: [1, 2, 4, 4], values: (i: number) => i };
  for (const [type, text] of [
    ['Pooling', 'pooling_param { kernel_size: 2 }'],
    ['LRN', ''],
    ['MVN', ''],
    ['BatchNorm', ''],
    ['Tile', 'tile_param { tiles: 2 }'],
    ['SPP', 'spp_param { pyramid_height: 2 }'],
    ['Concat', 'concat_param { axis: 0 }'],
  ]) {
    const made = await makeLayer(type, text, [plane, ...(type === 'Concat' ? [plane] : [])], {
      backward: true,
      phase: Phase.TRAIN,
    });
    await forward(made);
    made.bottom[0].diff.fill(7);
    made.top[0].diff.fill(1);
    await backward(made, { propagateDown: made.bottom.map((_, i) => i > 0) });
    expect([...new Set(made.bottom[0].diff)], type).toEqual([7]);
    if (type === 'Concat') expect([...new Set(made.bottom[1].diff)]).toEqual([1]);
  }
});

it('LRNRistretto has the gradient of LRN: trims are passed straight through', async () => {
  const given = { shape: [1, 5, 2, 2], values: (i: number) => Math.sin(i) };
  const lrn = 'lrn_param { local_size: 3 alpha: 2 beta: 0.75 }';
  const plain = await makeLayer('LRN', lrn, [given]);
  const trimmed = await makeLayer(
    'LRNRistretto',
    `${lrn} quantization_param { precision: MINIFLOAT mant_bits: 3 exp_bits: 4 }`,
    [given],
  );
  for (const made of [plain, trimmed]) {
    await forward(made);
    made.top[0].diff.set(Array.from({ length: 20 }, (_, i) => Math.cos(i)));
    await backward(made);
  }
  expect(trimmed.top[0].toArray()).not.toEqual(plain.top[0].toArray());
  expect(trimmed.bottom[0].diff).toEqual(plain.bottom[0].diff);
});

describe('random words of the last forward pass', () => {
  it('Dropout drops what it dropped, however often it has run', async () => {
    const made = await makeLayer('Dropout', '', [{ shape: [500], values: () => 1 }], { phase: Phase.TRAIN });
    made.top[0].diff.fill(1);
    const seen = new Set<string>();
    for (let pass = 0; pass < 3; pass++) {
      const [top] = await forward(made);
      await backward(made);
      expect([...made.bottom[0].diff]).toEqual(top);
      seen.add(top.join());
    }
    expect(seen.size).toBe(3);
  });

  it('stochastic pooling passes on to what it drew', async () => {
    const values = Array.from({ length: 64 }, (_, i) => 1 + i / 64);
    const made = await makeLayer(
      'Pooling',
      'pooling_param { pool: STOCHASTIC kernel_size: 4 stride: 4 }',
      [{ shape: [1, 1, 8, 8], values }],
      { phase: Phase.TRAIN },
    );
    const seen = new Set<string>();
    for (let pass = 0; pass < 3; pass++) {
      const [top] = await forward(made);
      made.top[0].diff.set([1, 2, 3, 4]);
      await backward(made);
      const expected = values.map((value) => top.indexOf(value) + 1);
      expect([...made.bottom[0].diff]).toEqual(expected);
      seen.add(top.join());
    }
    expect(seen.size).toBe(3);
  });
});

it('a Concat written in place gives the same gradients, bit for bit, on any number of threads', async () => {
  const convolution = (name: string, bottom: string, kernel: number, outputs: number) =>
    `layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" convolution_param {
       num_output: ${outputs} kernel_size: ${kernel} pad: ${(kernel - 1) / 2} weight_filler { type: "xavier" } } }`;
  const text = `force_backward: true
    layer { name: "in" type: "DummyData" top: "x" dummy_data_param { shape { dim: 3 dim: 4 dim: 9 dim: 9 }
      data_filler { type: "gaussian" } } }
    layer { name: "target" type: "DummyData" top: "t" dummy_data_param { shape { dim: 3 dim: 7 dim: 1 dim: 1 }
      data_filler { type: "gaussian" } } }
    ${convolution('squeeze', 'x', 1, 4)}
    ${convolution('one', 'squeeze', 1, 3)}
    layer { name: "norm" type: "BatchNorm" bottom: "one" top: "norm" }
    ${convolution('three', 'squeeze', 3, 4)}
    layer { name: "lrn" type: "LRN" bottom: "three" top: "lrn" }
    layer { name: "both" type: "Concat" bottom: "norm" bottom: "lrn" top: "both" }
    layer { name: "pool" type: "Pooling" bottom: "both" top: "pool" pooling_param { kernel_size: 3 stride: 2 } }
    layer { name: "drop" type: "Dropout" bottom: "pool" top: "pool" }
    layer { name: "mean" type: "Pooling" bottom: "pool" top: "mean" pooling_param { pool: AVE global_pooling: true } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "mean" bottom: "t" top: "loss" }`;
  const gradients = async (threads: number, keep?: 'all') => {
    const net = await Net.create({
      param: parseText('NetParameter', text),
      registry,
      phase: Phase.TRAIN,
      threads,
      seed: 3,
      backward: true,
      keep,
    });
    try {
      net.clearParamDiffs();
      await net.forward();
      await net.backward();
      const sliced = net.layer('lrn').top[0].diffOwner === net.layer('both').top[0];
      return { sliced, diffs: net.learnedParams.map(({ blob }) => [...blob.diff]) };
    } finally {
      await net.close();
    }
  };
  const plain = await gradients(1, 'all');
  const planned = await gradients(1);
  expect([plain.sliced, planned.sliced]).toEqual([false, true]);
  expect(plain.diffs.every((diff) => diff.some((value) => value !== 0))).toBe(true);
  expect(planned.diffs).toEqual(plain.diffs);
  expect((await gradients(3)).diffs).toEqual(plain.diffs);
});

it('what a backward pass reads lies apart where a layer behind the Concat works in place', async () => {
  const branch = (name: string, type: string) => `
    layer { name: "${name}" type: "Convolution" bottom: "x" top: "${name}"
      convolution_param { num_output: 3 kernel_size: 1 weight_filler { type: "gaussian" } } }
    layer { name: "${name}_act" type: "${type}" bottom: "${name}" top: "${name}" }`;
  const shape = 'shape { dim: 2 dim: 6 dim: 3 dim: 3 }';
  const text = (type: string, behind: string) => `
    layer { name: "in" type: "DummyData" top: "x" top: "t" dummy_data_param { ${shape} ${shape}
      data_filler { type: "gaussian" } data_filler { type: "gaussian" } } }
    ${branch('a', type)} ${branch('b', type)}
    layer { name: "join" type: "Concat" bottom: "a" bottom: "b" top: "c" }
    ${behind}
    layer { name: "loss" type: "EuclideanLoss" bottom: "c" bottom: "t" top: "loss" }`;
  const shift = 'layer { name: "f" type: "Power" bottom: "c" top: "c" power_param { scale: 0.5 shift: 3 } }';
  const gradients = async (netText: string, keep?: 'all') => {
    const net = await Net.create({
      param: parseText('NetParameter', netText),
      registry,
      phase: Phase.TRAIN,
      threads: 1,
      seed: 3,
      backward: true,
      keep,
    });
    await net.forward();
    await net.backward();
    const sliced = net.layer('a_act').top[0].owner === net.layer('join').top[0];
    const diffs = net.learnedParams.map(({ blob }) => [...blob.diff]);
    await net.close();
    return { sliced, diffs };
  };
  // A ReLU is applied by its convolution, a TanH is a layer of its own.
  for (const type of ['ReLU', 'TanH']) {
    expect((await gradients(text(type, ''))).sliced, type).toBe(true);
    const { diffs } = await gradients(text(type, shift));
    expect(diffs, type).toEqual((await gradients(text(type, shift), 'all')).diffs);
  }
});

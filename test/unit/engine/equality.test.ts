// Small nets whose float32 sums are exact: the integer engine gives the simulation's numbers in every bit.
import { afterAll, describe, expect, it } from 'vitest';
import { IntegerNet } from '../../../lib/engine/index.js';
import { Net } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import { Stream } from '../../../lib/native/index.js';
import { Phase } from '../../../lib/proto/index.js';
import { concat, conv, fc, input, layer, parse, pool, relu } from './nets.js';

const stream = new Stream({ threads: 2 });
afterAll(() => stream.close());

const x = input('x', 6, 3, 11, 9);

const nets: Record<string, string[]> = {
  'two convolutions of other formats': [
    x,
    conv('a', 'x', 5, 3, { in: '8.4', out: '8.2' }),
    relu('a'),
    conv('b', 'a', 7, 3, { in: '7.1' }),
  ],
  'a classifier with pooling, ReLU behind it, and inner products': [
    x,
    conv('a', 'x', 6, 5, { out: '8.1' }),
    pool('p', 'a', 'kernel_size: 3 stride: 2'),
    relu('p'),
    fc('f', 'p', 9, { in: '8.2', out: '8.1' }),
    relu('f'),
    layer('d', 'Dropout', ['f']),
    fc('g', 'd', 4, { in: '8.1', out: '8.0' }),
    layer('s', 'Softmax', ['g']),
  ],
  'an inception block': [
    x,
    conv('stem', 'x', 8, 3),
    relu('stem'),
    conv('a', 'stem', 4, 1, { in: '8.1', out: '8.2' }),
    relu('a'),
    conv('b1', 'stem', 3, 1, { in: '8.1' }),
    relu('b1'),
    conv('b3', 'b1', 5, 3, { in: '8.2', out: '8.3' }),
    pool('c1', 'stem', 'kernel_size: 3 stride: 1 pad: 1'),
    conv('c2', 'c1', 2, 1, { in: '8.0', out: '8.2' }),
    concat('j', 'a', 'b3', 'c2'),
    conv('d', 'j', 4, 3, { in: '8.1' }),
    pool('e', 'd', 'pool: AVE global_pooling: true'),
    layer('t', 'TanH', ['j']),
  ],
  'floor, padding and strides': [
    x,
    conv('a', 'x', 4, 4, {}, { rest: 'pad: 3 stride: 3' }),
    conv('b', 'a', 4, 3, {}, { rest: 'pad: 2 dilation: 2' }),
    conv('c', 'b', 8, 3, {}, { rest: 'group: 4 pad: 1' }),
  ],
  'sixteen bits, and a fractional length below 0': [
    x,
    conv('a', 'x', 4, 3, { in: '10.4', out: '16.2', params: '6.4' }),
    relu('a'),
    conv('b', 'a', 4, 1, { in: '6.-1', out: '12.-2', params: '9.7' }),
    conv('c', 'b', 4, 1, { in: '12.-2', out: '8.-3', params: '3.2' }),
  ],
  'one bit': [
    x,
    conv('a', 'x', 4, 3, { in: '1.1', out: '1.-1' }),
    conv('b', 'a', 4, 3, { in: '2.0', params: '1.1' }),
  ],
  'islands between quantised layers': [
    x,
    pool('p', 'x', 'kernel_size: 2'),
    conv('a', 'p', 4, 3),
    layer('bn', 'TanH', ['a']),
    conv('b', 'bn', 4, 3, { in: '8.6' }),
    layer('sum', 'Eltwise', ['a', 'b']),
    layer('r', 'ReLU', ['sum'], 'relu_param { negative_slope: 0.25 }'),
    conv('c', 'r', 4, 3, { in: '32.16' }),
    conv('e', 'c', 4, 1),
  ],
  deconvolutions: [
    x,
    conv('a', 'x', 4, 3, { out: '8.2' }, { type: 'DeconvolutionRistretto', rest: 'stride: 2 pad: 1' }),
    relu('a'),
    conv('b', 'a', 6, 2, { in: '8.1' }, { type: 'DeconvolutionRistretto', rest: 'group: 2 stride: 3' }),
    conv('c', 'a', 4, 3, { in: '8.1' }, { type: 'DeconvolutionRistretto', rest: 'dilation: 2 pad: 3' }),
    conv('d', 'c', 2, 3),
  ],
  'one Concat in another, and a slice used twice': [
    x,
    conv('a', 'x', 4, 1),
    conv('b', 'x', 3, 3, { out: '8.4' }),
    relu('b'),
    concat('j', 'a', 'b'),
    relu('j'),
    conv('c', 'x', 2, 1, { out: '8.2' }),
    concat('k', 'j', 'c', 'b'),
    conv('d', 'k', 4, 3, { in: '8.2' }),
    conv('e', 'b', 4, 3, { in: '8.1' }),
    layer('flat', 'Flatten', ['k']),
    fc('f', 'flat', 3, { in: '6.1' }),
  ],
};

/** Every output over batches of several sizes, and what was kept. */
async function run(net: Net | IntegerNet, keep: readonly string[]): Promise<Record<string, number[]>> {
  const results: Record<string, number[]> = {};
  for (const batch of [6, 6, 4, 1]) {
    const source = net.sourceTops.get('x')!;
    source.reshape([batch, 3, 11, 9]);
    source.set(Float32Array.from({ length: source.count }, (_, i) => ((i * 7919) % 977) / 65 - 6));
    await net.forward();
    for (const name of [...net.outputNames, ...keep])
      results[`${name} ${batch}`] = [...net.blob(name).toArray()];
  }
  return results;
}

describe.each(Object.entries(nets))('%s', (_, layers) => {
  const param = parse(...layers);
  const options = { param, phase: Phase.TEST, registry, stream, seed: 3 };
  const all = [...new Set(param.layer.flatMap((entry) => entry.top))].filter((name) => name !== 'x');

  it.each([
    ['outputs', {}, []],
    ['outputs, a batch in parts', { partBytes: 1 }, []],
    ['every blob', { keep: all }, all],
  ] as const)('%s', async (_name, more, keep) => {
    const simulated = await Net.create({ ...options, keep: 'all' });
    const engine = await IntegerNet.create({ ...options, ...more });
    expect(await run(engine, keep)).toEqual(await run(simulated, keep));
    await engine.close();
    await simulated.close();
  });

  it.each(['halfToEven', 'halfUp', 'floor'] as const)('rounding %s', async (rounding) => {
    const simulated = await Net.create({ ...options, rounding });
    const engine = await IntegerNet.create({ ...options, rounding });
    expect(await run(engine, [])).toEqual(await run(simulated, []));
    await engine.close();
    await simulated.close();
  });
});

it('follows parameters that change', async () => {
  const param = parse(x, conv('a', 'x', 4, 3), relu('a'), fc('b', 'a', 3));
  const [simulated, engine] = [
    await Net.create({ param, phase: Phase.TEST, registry, stream }),
    await IntegerNet.create({ param, phase: Phase.TEST, registry, stream }),
  ];
  const first = await run(engine, []);
  expect(await run(simulated, [])).toEqual(first);
  for (const net of [simulated, engine])
    for (const { blob } of net.params) blob.set(blob.toArray().map((value) => -value / 2));
  const second = await run(engine, []);
  expect(second).not.toEqual(first);
  expect(second).toEqual(await run(simulated, []));
  await engine.close();
  await simulated.close();
});

it('refuses to read what exists as codes only', async () => {
  const param = parse(x, conv('a', 'x', 4, 3), relu('a'), fc('b', 'a', 3));
  const engine = await IntegerNet.create({ param, phase: Phase.TEST, registry, stream });
  await engine.forward();
  expect(() => engine.blob('a')).toThrow('name it in `keep`');
  expect(engine.blob('b').count).toBe(18);
  await engine.close();
});

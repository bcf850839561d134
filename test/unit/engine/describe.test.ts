// What a plan says of itself, and which nets are lowered at all.
import { expect, it } from 'vitest';
import { createNet, IntegerNet } from '../../../lib/engine/index.js';
import { Net } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import { Phase } from '../../../lib/proto/index.js';
import { concat, conv, fc, input, layer, parse, pool, relu } from './nets.js';

const make = (...layers: string[]) => ({ param: parse(...layers), phase: Phase.TEST, registry, threads: 1 });

const block = [
  input('x', 4, 3, 8, 8),
  conv('a', 'x', 6, 3, { out: '8.4' }),
  relu('a'),
  conv('b', 'a', 5, 1, { in: '8.2', out: '8.2' }),
  conv('c', 'a', 6, 3, { in: '8.2', out: '8.0' }, { rest: 'pad: 1 group: 2' }),
  concat('j', 'b', 'c'),
  pool('p', 'j', 'kernel_size: 2 stride: 2'),
  fc('f', 'p', 3, { in: '8.0', params: '10.6' }),
  layer('s', 'Softmax', ['f']),
];

it('a plan lists what each step reads, writes, shifts and costs', async () => {
  const net = await IntegerNet.create(make(...block));
  const plan = await net.describe();
  expect(plan.rows.map(({ layers, kernel, float }) => [layers[0], float ?? kernel])).toEqual([
    ['a', 'quantise'],
    ['a', 'convolution 3x3 pad 1, ReLU'],
    ['b', 'convolution 1x1'],
    ['c', 'convolution 3x3 pad 1, 2 groups'],
    ['j', 'concat, written in place'],
    ['p', 'max pooling 2x2 / 2'],
    ['f', 'convolution 4x4'],
    ['s', 'dequantise'],
    ['s', 'Softmax is computed in float32'],
  ]);
  const row = (name: string) => plan.rows.find((r) => r.layers[0] === name && r.macs > 0)!;
  expect(row('a')).toMatchObject({
    layers: ['a', 'relu_a', 'a_relu_a_0_split'],
    shift: 3 + 6 - 4,
    consumerShift: 2,
    macs: 8 * 8 * 6 * 3 * 9,
    weightBytes: 6 * 3 * 9 + 4 * 6,
    dst: { shape: [6, 8, 8], type: 'i8', range: [0, 127], halo: [1, 1], slice: null, bytes: 6 * 64 },
  });
  expect(row('c')).toMatchObject({
    consumer: null,
    macs: 8 * 8 * 6 * 3 * 9,
    dst: { slice: { first: 5, of: 11 }, type: 'u8' },
  });
  // 16-bit storage of ten-bit weights; the bound is of 11 * 4 * 4 products of 8 and 10 bits at most.
  expect(row('f').weightBytes).toBe(2 * 3 * 11 * 16 + 4 * 3);
  expect(row('f').bound!.sumBits).toBeGreaterThan(10);
  expect(row('f').bound!.sumBits).toBeLessThanOrEqual(7 + 9 + 8);
  expect(plan.macs).toBe(plan.rows.reduce((sum, { macs }) => sum + macs, 0));
  expect(plan).toMatchObject({ batch: 4, part: 4, integerLayers: 8, floatLayers: 1 });
  // Every memory in the arena, on a cache line of its own; what lives at the same time apart.
  for (const { dst } of plan.rows) if (dst?.slice === null) expect(dst.byteOffset % 64).toBe(0);
  expect(plan.arenaBytes).toBeGreaterThan(4 * (10 * 10 * 6 + 64 * 11));
  await net.close();
});

it('a batch runs in the parts that the bound allows', async () => {
  const net = await IntegerNet.create({ ...make(...block), partBytes: 5000 });
  const plan = await net.describe();
  expect([plan.batch, plan.part]).toEqual([4, 2]);
  await net.close();
});

it('a net that would need more than there is is refused before any of it is taken', async () => {
  const net = await IntegerNet.create({ ...make(...block), memoryLimit: 8000 });
  for (let attempt = 0; attempt < 2; attempt++)
    await expect(net.forward()).rejects.toThrow(/needs .* of memory, more than the 7.8 KB/);
  await net.close();
  const fits = await IntegerNet.create({ ...make(...block), memoryLimit: 80000 });
  await fits.forward();
  const { parameters, inputs, kept, activations, total } = fits.memory;
  // Logits and probabilities are float; codes take what the plan says.
  expect(kept).toBe(4 * (4 * 3 + 4 * 3));
  expect(activations).toBe((await fits.describe()).arenaBytes);
  expect(total).toBe(parameters + inputs + kept + activations);
  await fits.close();
  await expect(fits.forward()).rejects.toThrow('closed');
});

const wide = conv('a', 'x', 6, 3, { in: '32.16' });

it.each([
  ['auto', block, IntegerNet],
  ['auto', [block[0], wide], Net],
  ['auto', [block[0], pool('p', 'x', 'kernel_size: 2')], Net],
  ['integer', block, IntegerNet],
  ['simulate', block, Net],
] as const)('engine %s makes the net that can run so', async (engine, layers, kind) => {
  const net = await createNet(engine, make(...layers));
  expect(net).toBeInstanceOf(kind);
  await net.close();
});

it('engine integer lists the layers that cannot', async () => {
  await expect(createNet('integer', make(...block, conv('w', 'x', 2, 3, { in: '20.3' })))).rejects.toThrow(
    "1 quantised layer cannot run on integer codes: 'w' (input: 20 bits are more than 16)",
  );
});

it('sums beyond 63 bits keep a layer in float32', async () => {
  const layers = [
    input('x', 1, 4, 4, 4),
    conv('a', 'x', 2, 3, { in: '16.-40', out: '16.-40', params: '16.15' }),
  ];
  const net = await IntegerNet.create(make(...layers));
  expect(net.unlowered).toEqual([]);
  const plan = await net.describe();
  expect(plan.rows.map(({ float }) => float)).toEqual([expect.stringMatching(/^sums may take \d+ bits/)]);
  await expect(createNet('integer', make(...layers)).then((n) => n.forward())).rejects.toThrow(
    'sums may take',
  );
  await net.close();
});

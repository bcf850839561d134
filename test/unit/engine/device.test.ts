// The integer engine on a GPU that the host executor plays.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

// Read when the addon is loaded, in this test's own process.
vi.hoisted(() => (process.env.RISTRETTO_EMULATED_GPU = '1'));

import { IntegerNet, type IntegerNetOptions } from '../../../lib/engine/index.js';
import { registry } from '../../../lib/data/index.js';
import { Stream, useDevice, type NativeStream } from '../../../lib/native/index.js';
import { Phase } from '../../../lib/proto/index.js';
import { concat, conv, fc, input, parse, pool, relu } from './nets.js';

beforeAll(() => useDevice(0));
afterAll(() => useDevice(null));

/** Layers whose weights a GPU can keep in 4 bits: whole vectors of channels, at most 4 bits. */
const narrow = (params: string) =>
  parse(
    input('x', 2, 16, 6, 5),
    conv('a', 'x', 48, 3, { in: '8.4', out: '8.0', params }),
    relu('a'),
    conv('b', 'a', 32, 1, { in: '8.0', out: '8.-1', params: '3.1' }),
    fc('c', 'b', 7, { in: '8.-1', out: '8.-4', params }),
  );

async function create(params: string, stream: NativeStream): Promise<IntegerNet> {
  const net = await IntegerNet.create({
    param: narrow(params),
    phase: Phase.TEST,
    registry,
    stream,
    seed: 5,
  });
  const x = net.sourceTops.get('x')!;
  x.set(Float32Array.from({ length: x.count }, (_, i) => ((i * 7919) % 977) / 65 - 6));
  return net;
}

it.each(['4.2', '3.1', '2.1', '5.3'])(
  'gives the codes of the definition with weights in %s',
  async (params) => {
    const results: number[][] = [];
    for (const stream of [new Stream(), new Stream({ isa: 'ref' })]) {
      const net = await create(params, stream);
      await net.forward();
      results.push([...net.outputs[0].toArray()]);
      await net.close();
      stream.close();
    }
    expect(new Set(results[0]).size).toBeGreaterThan(4);
    expect(results[0]).toEqual(results[1]);
  },
);

it.each([
  ['4.2', /^a: weights take more bits than was said/],
  ['5.3', null],
])('says that weights in %s take so many bits', async (params, refusal) => {
  const stream = new Stream();
  const net = await create(params, stream);
  const { parameters } = await net.prepare();
  // A code of 5 bits, as no parameter of 4 bits can become.
  parameters.of(net.layers.find(({ name }) => name === 'a')!).weightCodes[3] = 8;
  if (refusal) await expect(net.forward()).rejects.toThrow(refusal);
  else await net.forward();
  await net.close();
  stream.close();
});

/** A first layer and a Concat with pooling behind them, as SqueezeNet's; the second pooling's reader pads. */
const pooled = parse(
  input('x', 2, 3, 33, 31),
  conv('a', 'x', 40, 5, { in: '8.4', out: '8.0' }, { rest: 'stride: 2' }),
  relu('a'),
  pool('pool_a', 'a', 'pool: MAX kernel_size: 3 stride: 2'),
  conv('b', 'pool_a', 16, 1, { in: '8.0', out: '8.-2' }),
  conv('c', 'pool_a', 24, 3, { in: '8.0', out: '8.-2' }),
  concat('bc', 'b', 'c'),
  pool('pool_bc', 'bc', 'pool: MAX kernel_size: 3 stride: 2 pad: 1'),
  conv('d', 'pool_bc', 10, 3, { in: '8.-2', out: '8.-5' }),
);

async function createPooled(stream: NativeStream, more: Partial<IntegerNetOptions> = {}) {
  const options = { param: pooled, phase: Phase.TEST, registry, seed: 5 };
  const net = await IntegerNet.create({ ...options, stream, ...more });
  const x = net.sourceTops.get('x')!;
  x.set(Float32Array.from({ length: x.count }, (_, i) => ((i * 7919) % 977) / 65 - 6));
  return net;
}

describe('maximum pooling', () => {
  it('is done by the convolutions that it alone reads, with the codes of the definition', async () => {
    const results: number[][] = [];
    for (const stream of [new Stream(), new Stream({ isa: 'ref' })]) {
      const net = await createPooled(stream);
      await net.forward();
      results.push([...net.outputs[0].toArray()]);
      const { lowering } = await net.prepare();
      const pools = lowering.steps.map((step) => step.kind === 'convolution' && step.pool !== null);
      const alone = lowering.steps.filter(({ kind }) => kind === 'maxPooling').length;
      expect([pools.filter(Boolean).length, alone]).toEqual(stream.onDevice ? [3, 0] : [0, 2]);
      await net.close();
      stream.close();
    }
    expect(new Set(results[0]).size).toBeGreaterThan(4);
    expect(results[0]).toEqual(results[1]);
  });

  it('stays apart where others read the codes too', async () => {
    const stream = new Stream();
    for (const [more, apart] of [
      [{ keep: ['a'] }, ['pool_a']],
      [{ retain: true }, ['pool_a', 'pool_bc']],
    ] as const) {
      const net = await createPooled(stream, { ...more });
      await net.forward();
      const { lowering } = await net.prepare();
      const left = lowering.steps.filter(({ kind }) => kind === 'maxPooling');
      expect(left.map(({ entry }) => entry.name)).toEqual(apart);
      await net.close();
    }
    stream.close();
  });

  it('is told of in the plan, with the work of the whole convolution', async () => {
    const stream = new Stream();
    const [apart, fused] = [await createPooled(stream, { retain: true }), await createPooled(stream)];
    const [before, after] = [await apart.describe(), await fused.describe()];
    expect(after.macs).toBe(before.macs);
    expect(after.arenaBytes).toBeLessThan(before.arenaBytes);
    const row = (name: string) => after.rows.findLast(({ layers }) => layers[0] === name)!;
    expect(row('a').kernel).toMatch(/ReLU, max pooling 3x3 \/ 2$/);
    expect(row('a').layers).toContain('pool_a');
    expect(row('c').kernel).toMatch(/max pooling 3x3 \/ 2 pad 1$/);
    expect(row('bc').layers).toEqual(['bc', 'pool_bc']);
    for (const net of [apart, fused]) await net.close();
    stream.close();
  });
});

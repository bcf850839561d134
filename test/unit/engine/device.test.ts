// The integer engine on a GPU that the host executor plays.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

// Read when the addon is loaded, in this test's own process.
vi.hoisted(() => (process.env.RISTRETTO_EMULATED_GPU = '1'));

import { IntegerNet } from '../../../lib/engine/index.js';
import { registry } from '../../../lib/data/index.js';
import { Stream, useDevice, type NativeStream } from '../../../lib/native/index.js';
import { Phase } from '../../../lib/proto/index.js';
import { conv, fc, input, parse, relu } from './nets.js';

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

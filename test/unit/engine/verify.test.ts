// The engine held against simulation and definitions: what differs is found, placed, and explained.
import { afterAll, describe, expect, it } from 'vitest';
import { compareNets, compareWithSimulation, IntegerNet } from '../../../lib/engine/index.js';
import { requantiseExactly } from '../../../lib/engine/definition.js';
import { registry } from '../../../lib/data/index.js';
import { NativeMemory, CodeTensor, ops, Stream, type Rounding } from '../../../lib/native/index.js';
import { Phase } from '../../../lib/proto/index.js';
import { concat, conv, fc, input, parse, pool, relu } from './nets.js';

const stream = new Stream({ threads: 2 });
const definitions = new Stream({ threads: 2, isa: 'ref' });
afterAll(() => {
  stream.close();
  definitions.close();
});

async function ran(layers: string[], on = stream): Promise<IntegerNet> {
  const net = await IntegerNet.create({
    param: parse(...layers),
    phase: Phase.TEST,
    registry,
    stream: on,
    seed: 7,
    retain: true,
  });
  const x = net.sourceTops.get('x')!;
  x.set(Float32Array.from({ length: x.count }, (_, i) => ((i * 7919) % 977) / 65 - 6));
  await net.forward();
  return net;
}

const exact = [
  input('x', 2, 3, 9, 9),
  conv('a', 'x', 4, 3, { out: '8.2' }),
  relu('a'),
  conv('b', 'a', 3, 1, { in: '8.1' }),
  conv('c', 'a', 5, 3, { in: '7.1', out: '8.4' }),
  pool('p', 'c', 'kernel_size: 3 stride: 2'),
  fc('f', 'p', 6, { in: '8.3' }),
  pool('m', 'b', 'pool: AVE global_pooling: true'),
];

it('finds nothing where the sums are exact', async () => {
  const net = await ran(exact);
  const rows = await compareWithSimulation(net);
  expect(rows.map(({ layer, step, mismatches }) => [layer, step, mismatches])).toEqual([
    ['a', 'quantise', 0],
    ['a', 'convolution', 0],
    ['b', 'requantise', 0],
    ['b', 'convolution', 0],
    ['c', 'requantise', 0],
    ['c', 'convolution', 0],
    ['p', 'maxPooling', 0],
    ['f', 'convolution', 0],
    ['m', 'averagePooling', 0],
  ]);
  expect(rows.every(({ codes }) => codes > 0)).toBe(true);
  await net.close();
});

/** Sums of products of 2^30: float32 holds 24 bits of them, fewer than the output's unit asks for where terms cancel. */
const inexact = [
  input('x', 1, 24, 12, 12),
  conv('a', 'x', 8, 3, { in: '16.11', params: '16.13', out: '16.12' }),
];

const inexactDeconvolution = [
  inexact[0],
  conv(
    'a',
    'x',
    8,
    5,
    { in: '16.11', params: '16.13', out: '16.12' },
    { type: 'DeconvolutionRistretto', rest: 'stride: 2 group: 2 pad: 1' },
  ),
];

it.each([
  ['convolution', inexact],
  ['deconvolution', inexactDeconvolution],
  ['inner product', [inexact[0], fc('a', 'x', 400, { in: '16.11', params: '16.13', out: '16.8' })]],
])('explains codes that a float32 sum could not give: %s', async (_, layers) => {
  const net = await ran(layers);
  const [, row] = await compareWithSimulation(net);
  expect(row.mismatches).toBeGreaterThan(0);
  expect(row.bugs).toBe(0);
  expect(row.first).toMatchObject({ why: 'inexact float32 sum' });
  expect(Math.abs(row.first!.engine - row.first!.other)).toBeGreaterThanOrEqual(1);
  await net.close();
});

it('calls a wrong code a bug, and says where it is', async () => {
  const net = await ran([...exact.slice(0, 3), concat('j', 'a'), conv('k', 'j', 5, 1)]);
  const { lowering } = await net.prepare();
  const step = lowering.steps.find(({ kind, entry }) => kind === 'convolution' && entry.name === 'k')!;
  if (step.kind !== 'convolution') throw new Error('no convolution');
  const bytes = new Uint8Array(net.program.buffer.arrayBuffer);
  // Image 1, row 2, column 3, channel 4 of a dense tensor of 9 * 9 * 5 codes.
  bytes[step.dst.memory.offset + ((1 * 9 + 2) * 9 + 3) * 5 + 4] ^= 1;
  const rows = await compareWithSimulation(net);
  expect(rows.filter(({ mismatches }) => mismatches > 0)).toMatchObject([
    { layer: 'k', mismatches: 1, bugs: 1, first: { n: 1, c: 4, h: 2, w: 3, why: 'bug' } },
  ]);
  await net.close();
});

it.each([
  ['exact sums', exact],
  ['wide sums', inexact],
  ['a deconvolution', inexactDeconvolution],
])('kernels and definitions agree: %s', async (_, layers) => {
  const [fast, slow] = [await ran(layers), await ran(layers, definitions)];
  const rows = await compareNets(fast, slow);
  expect(rows.length).toBeGreaterThan(1);
  expect(rows.filter(({ mismatches }) => mismatches > 0)).toEqual([]);
  await fast.close();
  await slow.close();
});

describe('the definition on integers of any length', () => {
  it.each(['halfAwayFromZero', 'halfToEven', 'halfUp', 'floor'] as Rounding[])(
    'gives the native requantisation: %s',
    async (rounding) => {
      const codes = Int16Array.from({ length: 4096 }, (_, i) => i * 16 - 32768 + (i % 16));
      for (const [from, format] of [
        [3, { bitWidth: 8, fractionalLength: 0 }],
        [0, { bitWidth: 12, fractionalLength: 2 }],
        [9, { bitWidth: 16, fractionalLength: 8 }],
        [20, { bitWidth: 4, fractionalLength: -2 }],
      ] as const) {
        const memory = () => new NativeMemory(2 * codes.length + 64);
        const [src, dst] = [memory(), memory()];
        new Int16Array(src.arrayBuffer).set(codes);
        const view = (of: typeof src) =>
          new CodeTensor(of, 0, { type: 'i16', shape: [1, 1, 1, codes.length] });
        ops.requantise(stream, {
          src: view(src),
          dst: view(dst),
          srcFractionalLength: from,
          format,
          rounding,
        });
        await stream.sync();
        const native = new Int16Array(dst.arrayBuffer).subarray(0, codes.length);
        const defined = Array.from(codes, (code) => requantiseExactly(BigInt(code), from, format, rounding));
        expect([...native]).toEqual(defined);
      }
    },
  );
});

// What each layer of a small net becomes: formats on edges, requantisations, slices, halos, islands with reasons.
import { describe, expect, it } from 'vitest';
import { lower, type Lowering } from '../../../lib/engine/lower.js';
import type { ProductStep } from '../../../lib/engine/steps.js';
import { build, concat, conv, fc, input, layer, pool, relu } from './nets.js';

async function lowered(...layers: string[]): Promise<Lowering> {
  return lower((await build(...layers)).layers);
}

/** 'kind layer' of every step. */
const kinds = ({ steps }: Lowering) => steps.map(({ kind, entry }) => `${kind} ${entry.name}`);

function product({ steps }: Lowering, name: string): ProductStep {
  return steps.find((step) => step.kind === 'convolution' && step.entry.name === name) as ProductStep;
}

function reasonOf({ decisions }: Lowering, name: string): string | null {
  const [, decision] = [...decisions].find(([entry]) => entry.name === name)!;
  return decision.kind === 'float' ? decision.reason : null;
}

const x = input('x', 2, 3, 8, 8);

describe('formats on edges', () => {
  it('are those of the reader behind those of the producer: two requantisations', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3, { out: '8.4' }),
      relu('a'),
      conv('b', 'a', 4, 1, { in: '6.1' }),
    );
    expect(kinds(plan)).toEqual(['quantise a', 'convolution a', 'convolution b', 'dequantise b']);
    const a = product(plan, 'a');
    expect(a.formats.output).toEqual({ bitWidth: 8, fractionalLength: 4 });
    expect(a.consumer).toEqual({ bitWidth: 6, fractionalLength: 1 });
    expect(a.relu).toBe(true);
    expect(a.dst.range).toEqual({ low: 0, high: 31 });
  });

  it('need no second requantisation where reader and producer agree', async () => {
    const plan = await lowered(x, conv('a', 'x', 4, 3, { out: '8.3' }), conv('b', 'a', 4, 1, { in: '8.3' }));
    expect(product(plan, 'a').consumer).toBeNull();
  });

  it('are seen through maximum pooling, Dropout and Split', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3, { out: '8.4' }),
      pool('p', 'a', 'kernel_size: 3 stride: 2'),
      layer('d', 'Dropout', ['p']),
      conv('b', 'd', 4, 1, { in: '8.2' }),
      conv('c', 'd', 4, 1, { in: '8.2' }),
    );
    expect(product(plan, 'a').consumer).toEqual({ bitWidth: 8, fractionalLength: 2 });
    expect(kinds(plan).filter((text) => text.startsWith('requantise'))).toEqual([]);
  });

  it('stay the producer’s where readers differ, and each reader gets its own version', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3, { out: '8.4' }),
      conv('b', 'a', 4, 1, { in: '8.2' }),
      conv('c', 'a', 4, 1, { in: '8.4' }),
      conv('d', 'a', 4, 1, { in: '8.2' }),
    );
    expect(product(plan, 'a').consumer).toBeNull();
    expect(kinds(plan).filter((text) => text.startsWith('requantise'))).toEqual(['requantise b']);
    expect(product(plan, 'd').src.memory).toBe(product(plan, 'b').src.memory);
    expect(product(plan, 'c').src.memory).toBe(product(plan, 'a').dst.memory);
  });

  it('stay the producer’s where a float layer reads along', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3, { out: '8.4' }),
      conv('b', 'a', 4, 1, { in: '8.2' }),
      layer('t', 'TanH', ['a']),
    );
    expect(product(plan, 'a').consumer).toBeNull();
    expect(kinds(plan)).toContain('dequantise t');
    expect(kinds(plan)).toContain('requantise b');
  });

  it('quantise a float blob once for all that read it alike', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 1, { in: '8.1' }),
      conv('b', 'x', 4, 5, { in: '8.1' }),
      conv('c', 'x', 4, 3, { in: '8.2' }),
    );
    expect(kinds(plan).filter((text) => text.startsWith('quantise'))).toEqual(['quantise a', 'quantise c']);
    // The halo is the largest padding of those that read it.
    expect(product(plan, 'a').src.memory.halo).toEqual({ rows: 2, columns: 2 });
    expect(product(plan, 'c').src.memory.halo).toEqual({ rows: 1, columns: 1 });
  });
});

describe('ReLUs', () => {
  it('reach the producer through maximum pooling', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3),
      pool('p', 'a', 'kernel_size: 2 stride: 2'),
      relu('p'),
      fc('b', 'p', 4),
    );
    expect(product(plan, 'a').relu).toBe(true);
    expect(product(plan, 'b').src.range.low).toBe(0);
  });

  it('are a step of their own where another layer reads the numbers before them', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3, { out: '8.4' }),
      layer('r', 'ReLU', ['a']),
      conv('b', 'r', 4, 1, { in: '8.2' }),
      conv('c', 'a', 4, 1, { in: '8.4' }),
    );
    expect(product(plan, 'a').relu).toBe(false);
    const step = plan.steps.find(({ kind }) => kind === 'requantise');
    expect(step).toMatchObject({ relu: true, format: { bitWidth: 8, fractionalLength: 2 } });
    expect(product(plan, 'b').src.memory.type).toBe('i8');
    expect(product(plan, 'c').src.memory.type).toBe('u8');
  });

  it('with a slope are float', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3),
      layer('r', 'ReLU', ['a'], 'relu_param { negative_slope: 0.1 }'),
    );
    expect(reasonOf(plan, 'r')).toContain('slope');
    expect(kinds(plan)).toEqual(['quantise a', 'convolution a', 'dequantise r', 'float r']);
  });
});

describe('storage', () => {
  it('follows what codes can occur', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3),
      relu('a'),
      conv('b', 'a', 4, 3),
      conv('c', 'b', 4, 3, { out: '9.3' }),
      relu('c'),
      conv('d', 'c', 4, 3, { in: '9.3' }),
    );
    const types = ['a', 'b', 'c', 'd'].map((name) => product(plan, name).dst.memory.type);
    expect(types).toEqual(['i8', 'u8', 'i16', 'u8']);
    expect(product(plan, 'a').src.memory.type).toBe('u8');
  });

  it('of an inner product’s maps is theirs: its kernel is as large', async () => {
    const plan = await lowered(x, conv('a', 'x', 4, 3), layer('f', 'Flatten', ['a']), fc('b', 'f', 5));
    expect(product(plan, 'b').geometry).toMatchObject({ kernelH: 8, kernelW: 8, padH: 0 });
    expect(product(plan, 'b').src.memory).toBe(product(plan, 'a').dst.memory);
  });
});

describe('Concat', () => {
  const branches = (b: string, c: string) => [
    x,
    conv('a', 'x', 4, 1),
    relu('a'),
    conv('b', 'a', 5, 1, { out: b }),
    relu('b'),
    conv('c', 'a', 6, 3, { out: c }),
    concat('j', 'b', 'c'),
  ];

  it('is written by its producers, in the format of its reader', async () => {
    const plan = await lowered(...branches('8.3', '8.5'), conv('d', 'j', 4, 3, { in: '8.2' }));
    const [b, c, d] = ['b', 'c', 'd'].map((name) => product(plan, name));
    expect(b.dst.memory).toBe(d.src.memory);
    expect([b.dst.channel, c.dst.channel, d.src.channels]).toEqual([0, 5, 11]);
    expect([b.consumer, c.consumer]).toEqual([b.consumer, b.consumer]);
    expect(b.consumer).toEqual({ bitWidth: 8, fractionalLength: 2 });
    // The signed slice decides for both.
    expect(d.src.memory.type).toBe('u8');
    expect(d.src.memory.halo).toEqual({ rows: 1, columns: 1 });
    expect(kinds(plan).filter((text) => text.startsWith('requantise'))).toEqual([]);
  });

  it('keeps a format per slice where nobody wants one', async () => {
    const plan = await lowered(...branches('8.3', '8.5'));
    const steps = plan.steps.filter(({ kind }) => kind === 'dequantise');
    expect(steps).toMatchObject([
      { from: { fractionalLength: 3 }, dst: { channel: 0, channels: 5 } },
      { from: { fractionalLength: 5 }, dst: { channel: 5, channels: 6 } },
    ]);
  });

  it('copies what another Concat has already', async () => {
    const plan = await lowered(
      ...branches('8.3', '8.3'),
      conv('d', 'j', 4, 1),
      concat('k', 'c', 'b'),
      conv('e', 'k', 4, 1),
    );
    expect(kinds(plan).filter((text) => text.startsWith('requantise'))).toEqual([
      'requantise k',
      'requantise k',
    ]);
  });

  it('of Concats is written once', async () => {
    const plan = await lowered(
      ...branches('8.3', '8.3'),
      conv('d', 'x', 3, 1),
      concat('k', 'd', 'j'),
      conv('e', 'k', 4, 1),
    );
    const e = product(plan, 'e');
    expect(['b', 'c', 'd'].map((name) => product(plan, name).dst)).toMatchObject([
      { memory: e.src.memory, channel: 3 },
      { memory: e.src.memory, channel: 8 },
      { memory: e.src.memory, channel: 0 },
    ]);
  });
});

describe('layers that stay float', () => {
  it.each([
    ['wide activations', conv('a', 'x', 4, 3, { in: '32.16' }), 'input: 32 bits are more than 16'],
    ['wide weights', conv('a', 'x', 4, 3, { params: '17.9' }), 'weights: 17 bits'],
    ['wide output', conv('a', 'x', 4, 3, { out: '20.9' }), 'output: 20 bits'],
    [
      'minifloat',
      conv('a', 'x', 4, 3, {}, { quantised: 'precision: MINIFLOAT mant_bits: 3 exp_bits: 4' }),
      'not dynamic fixed point',
    ],
    [
      'powers of two',
      conv(
        'a',
        'x',
        4,
        3,
        {},
        { quantised: 'precision: INTEGER_POWER_OF_2_WEIGHTS exp_min: -8 exp_max: -1' },
      ),
      'weights: 2^-8 .. 2^-1',
    ],
    [
      'stochastic rounding',
      conv('a', 'x', 4, 3, {}, { quantised: 'rounding_scheme: STOCHASTIC' }),
      'stochastically',
    ],
    [
      'deconvolution that cuts off more than its kernel reaches',
      conv('a', 'x', 4, 3, {}, { type: 'DeconvolutionRistretto', rest: 'pad: 3' }),
      'cuts off',
    ],
  ])('%s', async (_, text, reason) => {
    const plan = await lowered(x, text);
    expect(reasonOf(plan, 'a')).toContain(reason);
    expect(kinds(plan)).toEqual(['float a']);
  });

  it('pooling with windows beside the image', async () => {
    const plan = await lowered(
      input('x', 1, 2, 5, 5),
      conv('a', 'x', 4, 1),
      pool('p', 'a', 'kernel_size: 1 stride: 3'),
    );
    expect(reasonOf(plan, 'p')).toContain('outside');
  });

  it('what reads float32 and is not quantised', async () => {
    const plan = await lowered(x, pool('p', 'x', 'kernel_size: 2'), conv('a', 'p', 4, 3));
    expect(reasonOf(plan, 'p')).toBe('its bottoms are float32');
    expect(kinds(plan)).toEqual(['float p', 'quantise a', 'convolution a', 'dequantise a']);
  });

  it('average pooling reads codes and writes float32', async () => {
    const plan = await lowered(
      x,
      conv('a', 'x', 4, 3),
      pool('p', 'a', 'pool: AVE global_pooling: true'),
      fc('b', 'p', 4),
    );
    expect(kinds(plan)).toEqual([
      'quantise a',
      'convolution a',
      'averagePooling p',
      'quantise b',
      'convolution b',
      'dequantise b',
    ]);
  });
});

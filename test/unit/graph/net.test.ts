import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ActivationArena, Net, type NetOptions } from '../../../lib/graph/index.js';
import { Stream } from '../../../lib/native/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';
import { registry } from '../../../lib/data/index.js';
import { fakes, journal } from './fake-layers.js';

const open: Net[] = [];

async function make(text: string, options: Partial<NetOptions> = {}): Promise<Net> {
  const net = await Net.create({
    param: parseText('NetParameter', text),
    registry: fakes,
    threads: 1,
    ...options,
  });
  open.push(net);
  return net;
}

const input = (dims: number[], top = 'x') =>
  `layer { name: "in_${top}" type: "Input" top: "${top}" input_param { shape { ${dims.map((d) => `dim: ${d}`).join(' ')} } } }`;
const layer = (type: string, name: string, bottom: string, top: string, rest = '') =>
  `layer { name: "${name}" type: "${type}" ${bottom
    .split(' ')
    .filter(Boolean)
    .map((b) => `bottom: "${b}"`)
    .join(' ')} ${top
    .split(' ')
    .filter(Boolean)
    .map((t) => `top: "${t}"`)
    .join(' ')} ${rest} }`;

beforeEach(() => void (journal.length = 0));
afterEach(async () => {
  for (const net of open.splice(0)) await net.close();
});

describe('Net.create', () => {
  it('knows all shapes and the memory before any is taken', async () => {
    const net = await make(`${input([2, 3, 4, 5])} ${layer('AddOne', 'a', 'x', 'a')}`);
    expect(net.shapes.get('a')).toEqual([2, 3, 4, 5]);
    expect(net.memory).toMatchObject({ inputs: 480, kept: 480, activations: 0, total: 960 });
    expect(net.layers.every(({ top }) => top.every((blob) => !blob.allocated))).toBe(true);
  });

  it('sorts outputs by name, loss tops and unread inputs included', async () => {
    const net = await make(`
      ${input([1, 2], 'z')} ${input([1, 2])}
      ${layer('AddOne', 'l1', 'x', 'b')} ${layer('Mean', 'l2', 'b', 'Loss')} ${layer('AddOne', 'l3', 'b', 'a')}`);
    expect(net.outputNames).toEqual(['Loss', 'a', 'z']);
    expect(net.outputs.map((blob) => blob.name)).toEqual(['Loss', 'a', 'z']);
  });

  it('answers unknown types with the known ones', async () => {
    await expect(make(`${input([1])} ${layer('ReLu', 'r', 'x', 'y')}`)).rejects.toThrow(
      /layer 'r': type: unknown layer type 'ReLu'; did you mean 'ReLU'\?; known types are .*Concat.*Weigh/,
    );
    await expect(make(`${input([1])} ${layer('toString', 'r', 'x', 'y')}`)).rejects.toThrow(
      /unknown layer type/,
    );
  });

  it('checks numbers of bottoms and tops', async () => {
    await expect(make(`${input([1])} ${layer('AddOne', 'a', 'x x', 'y')}`)).rejects.toThrow(
      /layer 'a': bottom: takes exactly 1 bottom, not 2/,
    );
    await expect(make(`${input([1])} ${layer('AddOne', 'a', 'x', '')}`)).rejects.toThrow(
      /exactly 1 top, not 0/,
    );
  });

  it('refuses a blob of 10^12 elements by layer and blob', async () => {
    await expect(make(input([1000000, 1000000]))).rejects.toThrow(
      /layer 'in_x'.*blob 'x' of shape \(1000000, 1000000\) has 1000000000000 elements/,
    );
  });

  it('refuses a net that needs more memory than there is', async () => {
    const big = `${input([1, 1000, 1000])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('Sum', 's', 'a', 's')}`;
    await expect(make(big, { memoryLimit: 1e6 })).rejects.toThrow(
      /layer 'in_x': the net needs .* MB.*more than the 977 KB.*largest blob is 'x' of shape \(1, 1000, 1000\): 3\.8 MB/,
    );
    const many = [input([500, 1000, 1000])];
    for (let i = 0; i < 2000; i++) many.push(layer('AddOne', `l${i}`, i ? `b${i - 1}` : 'x', `b${i}`));
    await expect(make(many.join('\n'), { keep: 'all' })).rejects.toThrow(/TB/);
  });

  it('closes what it made when a later layer fails', async () => {
    await expect(
      make(
        `layer { name: "c" type: "Counter" top: "x" dummy_data_param { shape { dim: 1 } } } ${layer('Nope', 'n', 'x', 'y')}`,
      ),
    ).rejects.toThrow();
    expect(journal).toEqual(['close c']);
  });

  it('applies phase, level and stages', async () => {
    const text = `${input([1])} ${layer('AddOne', 'a', 'x', 'a', 'include { stage: "s" min_level: 2 }')}`;
    expect((await make(text)).layers).toHaveLength(1);
    expect((await make(text, { stages: ['s'], level: 2 })).layers).toHaveLength(2);
    const train = await make(`state { phase: TRAIN } ${text}`);
    expect(train.phase).toBe(Phase.TRAIN);
    expect(train.layers[0].layer.context.phase).toBe(Phase.TRAIN);
  });

  it('upgrades legacy inputs', async () => {
    const net = await make(
      `input: "x" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4 ${layer('AddOne', 'a', 'x', 'a')}`,
    );
    expect(net.shapes.get('a')).toEqual([1, 2, 3, 4]);
  });
});

describe('forward', () => {
  it('runs branches, layers in place and losses', async () => {
    const net = await make(
      `${input([2, 2])}
       ${layer('AddOne', 'a', 'x', 'a')} ${layer('ReLU', 'r', 'a', 'a')}
       ${layer('Negate', 'n', 'a', 'n')} ${layer('Sum', 's', 'a n x', 's')}
       ${layer('Mean', 'm', 's', 'm', 'loss_weight: 3')} ${layer('Mean', 'm2', 'a', 'm2')}`,
      { keep: 'all' },
    );
    net.blob('x').set([-5, -1, 0, 4]);
    await net.forward();
    expect([...net.blob('a').data]).toEqual([0, 0, 1, 5]);
    expect([...net.blob('s').data]).toEqual([-5, -1, 0, 4]);
    expect(net.loss).toBeCloseTo(3 * -0.5 + 1.5);
  });

  it('observes each layer in turn', async () => {
    const net = await make(
      `${input([1])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'b', 'a', 'b')}`,
      {
        keep: 'all',
      },
    );
    const seen: string[] = [];
    await net.forward({
      observe: async (observed, bottom, top, stream) => {
        expect(stream).toBe(net.stream);
        seen.push(
          `${observed.name}: ${bottom.map((b) => b.name).join()} -> ${top.map((t) => [...t.data]).join()}`,
        );
      },
    });
    expect(seen).toEqual(['in_x:  -> 0', 'a: x -> 1', 'b: a -> 2']);
  });

  it('runs a range of layers', async () => {
    const net = await make(
      `${input([1])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'b', 'a', 'b')}`,
      {
        keep: 'all',
      },
    );
    await net.forward({ to: 1 });
    expect(journal).toEqual(['in_x', 'a']);
    net.blob('a').set([10]);
    await net.forward({ from: 2 });
    expect([...net.blob('b').data]).toEqual([11]);
    await expect(net.forward({ from: 3 })).rejects.toThrow(/not within 0 to 2/);
  });

  it('names the layer whose forward fails, and can run again', async () => {
    const net = await make(`${input([1])} ${layer('Broken', 'bad', 'x', 'y')}`);
    await expect(net.forward()).rejects.toThrow(/layer 'bad': out of order/);
    await expect(net.forward()).rejects.toThrow(/layer 'bad': out of order/);
  });

  it('runs one pass at a time', async () => {
    const net = await make(
      `layer { name: "c" type: "Counter" top: "x" dummy_data_param { shape { dim: 1 } } } ${layer('AddOne', 'a', 'x', 'a')}`,
    );
    const first = net.forward();
    await expect(net.forward()).rejects.toThrow(/runs already/);
    await first;
    expect([...net.blob('a').data]).toEqual([2]);
  });

  it('stops at an abort signal', async () => {
    const net = await make(
      `${input([1])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'b', 'a', 'b')}`,
    );
    const controller = new AbortController();
    const pass = net.forward({
      signal: controller.signal,
      observe: (observed) => void (observed.name === 'a' && controller.abort(new Error('enough'))),
    });
    await expect(pass).rejects.toThrow('enough');
    expect(journal).toEqual(['in_x', 'a']);
    await expect(make(input([1]), { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
  });

  it('gives its memory back when it is closed; outputs and copies stay', async () => {
    const param = parseText(
      'NetParameter',
      `layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }
       layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc"
         inner_product_param { num_output: 3 weight_filler { type: "constant" value: 2 } } }
       layer { name: "twice" type: "Power" bottom: "fc" top: "y" power_param { scale: 2 } }`,
    );
    const net = await Net.create({ param, registry, threads: 1 });
    net.blob('x').set([1, 2]);
    await net.forward();
    const [weights] = net.params;
    const [view, copy] = [weights.blob.data, net.toProto().layer[1].blobs[0].data];
    await net.close();
    await net.close();
    expect([...net.outputs[0].data]).toEqual([12, 12, 12]);
    expect([...copy]).toEqual([2, 2, 2, 2, 2, 2]);
    expect(view.length).toBe(0);
    expect(() => weights.blob.data).toThrow(/freed: the net that owned it is closed/);
    await expect(net.forward()).rejects.toThrow('the net is closed');
  });

  it('follows a new input shape', async () => {
    const net = await make(`
      ${input([1, 2, 1, 2])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'b', 'x', 'b')}
      ${layer('Concat', 'c', 'a b', 'c')} ${layer('AddOne', 'd', 'c', 'd')}`);
    await net.forward();
    expect(net.blob('d').shape).toEqual([1, 4, 1, 2]);
    net.blob('x').reshape([3, 2, 1, 2]);
    net.blob('x').set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await net.forward();
    expect(net.blob('d').shape).toEqual([3, 4, 1, 2]);
    expect([...net.blob('d').data]).toEqual(
      [0, 4, 8].flatMap((n) => [n, n + 1, n + 2, n + 3, n, n + 1, n + 2, n + 3].map((x) => x + 2)),
    );
  });

  it('follows shapes that values decide', async () => {
    const net = await make(`
      ${input([1, 4])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'a2', 'a', 'a2')}
      ${layer('Positive', 'p', 'a2', 'p')} ${layer('AddOne', 'b', 'p', 'b')} ${layer('AddOne', 'c', 'b', 'c')}`);
    for (const [values, result] of [
      [
        [-5, 0, 1, -9],
        [4, 5],
      ],
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      [[-5, -5, -5, 0], [4]],
    ]) {
      net.blob('x').set(values);
      await net.forward();
      expect([...net.blob('c').data]).toEqual(result);
    }
  });
});

describe('the inference plan', () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, i) => layer('AddOne', `l${i}`, i ? `b${i - 1}` : 'x', `b${i}`)).join('\n');

  it('runs a chain in two blobs of memory', async () => {
    const net = await make(`${input([1, 1024])} ${chain(10)}`);
    expect(net.memory).toMatchObject({ inputs: 4096, kept: 4096, activations: 8192, unshared: 11 * 4096 });
    await net.forward();
    expect(net.blob('b9').data[1023]).toBe(10);
    expect(() => net.blob('b3')).toThrow(/name it in `keep`/);
  });

  it('keeps what is asked for', async () => {
    const net = await make(`${input([1, 16])} ${chain(6)}`, { keep: ['b2'] });
    await net.forward();
    expect(net.blob('b2').data[0]).toBe(3);
    expect(net.blob('b5').data[0]).toBe(6);
    await expect(make(`${input([1])} ${chain(2)}`, { keep: ['b7'] })).rejects.toThrow(
      /no blob 'b7'; did you mean 'b/,
    );
  });

  it('fuses a ReLU in place and leaves other ones', async () => {
    const net = await make(`${input([3])} ${layer('AddOne', 'a', 'x', 'a')} ${layer('ReLU', 'r', 'a', 'a')}
      ${layer('Negate', 'n', 'a', 'n')} ${layer('ReLU', 'r2', 'n', 'n')}`);
    net.blob('x').set([-4, 1, 2]);
    await net.forward();
    expect(journal).toEqual(['in_x', 'a', 'n', 'r2']);
    expect([...net.blob('n').data].map(Math.abs)).toEqual([0, 0, 0]);
    const leaky = await make(`${input([1])} ${layer('AddOne', 'a', 'x', 'a')}
      ${layer('ReLU', 'r', 'a', 'a', 'relu_param { negative_slope: 0.5 }')}`);
    journal.length = 0;
    await leaky.forward();
    expect(journal).toEqual(['in_x', 'a', 'r']);
  });

  it('writes a Concat in place where all agree', async () => {
    const text = (second: string) => `${input([2, 1, 1, 2])} ${layer('AddOne', 'e', 'x', 'e')}
      ${layer('AddOne', 'a', 'e', 'a')} ${layer('ReLU', 'r', 'a', 'a')}
      ${layer(second, 'b', 'e', 'b')} ${layer('Concat', 'c', 'a b', 'c')} ${layer('AddOne', 'd', 'c', 'd')}`;
    const agreed = await make(text('AddOne'));
    agreed.blob('x').set([-9, 1, 2, 3]);
    await agreed.forward();
    expect(journal).not.toContain('c');
    expect([...agreed.blob('d').data]).toEqual([1, 4, -6, 4, 5, 6, 5, 6]);
    expect(agreed.memory.unshared).toBe(4 * (4 + 4 + 4 + 4 + 8 + 8));
    journal.length = 0;
    const other = await make(text('Negate'));
    other.blob('x').set([-9, 1, 2, 3]);
    await other.forward();
    expect(journal).toContain('c');
    expect([...other.blob('d').data]).toEqual([1, 4, 9, -1, 5, 6, -2, -3]);
  });

  it('gives the same values as a net that keeps everything', async () => {
    // Diamonds, layers in place behind splits, blobs read far from where they are made.
    const layers = [input([4, 3, 2, 1])];
    let state = 12345;
    const random = (n: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
    const names = ['x'];
    for (let i = 0; i < 60; i++) {
      const a = names[Math.max(0, names.length - 1 - random(6))];
      const b = names[random(names.length)];
      const kind = random(3);
      if (kind === 0) layers.push(layer('AddOne', `l${i}`, a, `b${i}`));
      else if (kind === 1) layers.push(layer('Negate', `l${i}`, a, `b${i}`));
      else layers.push(layer('Sum', `l${i}`, `${a} ${b}`, `b${i}`));
      if (random(3) === 0) layers.push(layer('ReLU', `r${i}`, `b${i}`, `b${i}`));
      names.push(`b${i}`);
    }
    const values = Array.from({ length: 24 }, () => random(100) / 10 - 5);
    const results: Float32Array[][] = [];
    const configurations: Partial<NetOptions>[] = [
      { keep: 'all' },
      {},
      { keep: ['b7', 'b20', 'b33'] },
      { partBytes: 1 },
      { partBytes: 200 },
      { partBytes: 1, keep: ['b7', 'b20', 'b33'] },
    ];
    for (const configuration of configurations) {
      const net = await make(layers.join('\n'), configuration);
      net.blob('x').set(values);
      await net.forward();
      await net.forward();
      results.push(net.outputs.map((blob) => blob.toArray()));
      if (!configuration.keep) continue;
      for (const name of ['b7', 'b20', 'b33']) results.at(-1)!.push(net.blob(name).toArray());
    }
    const [all, ...others] = results;
    for (const values of others) expect(values).toEqual(all.slice(0, values.length));
    expect(all.length).toBeGreaterThan(5);
  });

  it('runs a batch in parts, and whole for an observer', async () => {
    const net = await make(
      `${input([4, 256])} ${chain(5)} ${layer('Sum', 's', 'b4', 's')} ${layer('AddOne', 'e', 's', 'e')}`,
      { partBytes: 2 * 1024 * 2, keep: ['b1'] },
    );
    // Whole: x, b1, e, and in the arena b4 and s; of two images: b0, b2 and b3, of which two live at a time.
    expect(net.memory).toMatchObject({ inputs: 4096, kept: 2 * 4096, activations: 2 * 4096 + 2 * 2048 });
    const values = Float32Array.from({ length: 1024 }, (_, i) => i);
    net.blob('x').set(values);
    await net.forward();
    expect(journal.filter((name) => name === 'l2')).toHaveLength(2);
    expect(journal.filter((name) => name === 's')).toHaveLength(1);
    expect(net.blob('e').toArray()).toEqual(values.map((x) => x + 6));
    expect(net.blob('b1').toArray()).toEqual(values.map((x) => x + 2));
    expect(() => net.blob('b2')).toThrow(/keep/);
    journal.length = 0;
    const shapes: string[] = [];
    await net.forward({ observe: (_, __, [top]) => void shapes.push(top.shapeText) });
    expect(new Set(shapes)).toEqual(new Set(['(4, 256)']));
    expect(journal.filter((name) => name === 'l2')).toHaveLength(1);
    await net.forward();
    expect(net.blob('e').toArray()).toEqual(values.map((x) => x + 6));
  });

  it('never lets a layer in place reach another branch', async () => {
    const net = await make(`${input([2])} ${layer('AddOne', 'e', 'x', 'e')}
      ${layer('Split', 's', 'e', 's0 s1')} ${layer('Negate', 'n', 's0', 's0')} ${layer('AddOne', 'b', 's1', 'b')}`);
    net.blob('x').set([1, 2]);
    await net.forward();
    expect([...net.blob('s0').data]).toEqual([-2, -3]);
    expect([...net.blob('b').data]).toEqual([3, 4]);
  });
});

describe('several nets', () => {
  const counter = (batch = 2) =>
    `layer { name: "c" type: "Counter" top: "x" dummy_data_param { shape { dim: ${batch} dim: 8 } } }`;

  it('run on one batch and one arena, without touching the batch', async () => {
    const stream = new Stream({ threads: 1 });
    const arena = new ActivationArena();
    const first = await make(
      `${counter()} ${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'b', 'a', 'b')} ${layer('AddOne', 'd', 'b', 'd')}`,
      { stream, arena },
    );
    const second = await make(
      `${counter()} ${layer('Negate', 'n', 'x', 'x')} ${layer('Negate', 'm', 'x', 'm')} ${layer('AddOne', 'o', 'm', 'o')} ${layer('AddOne', 'p', 'o', 'p')}`,
      { stream, arena, sources: first },
    );
    expect(second.layers.map(({ name }) => name)).toEqual(['n', 'm', 'o', 'p']);
    for (let pass = 1; pass <= 3; pass++) {
      await first.forward();
      await Promise.all([second.forward()]);
      expect(first.blob('x').data[0]).toBe(pass);
      expect(first.blob('d').data[15]).toBe(pass + 3);
      expect(second.blob('p').data[15]).toBe(pass + 2);
    }
    await expect(make(`${counter()} ${layer('AddOne', 'a', 'x', 'a')}`, { arena })).rejects.toThrow(
      /share the stream/,
    );
    stream.close();
  });

  it('may take blobs that no layer of the net makes', async () => {
    const owner = await make(input([3]));
    const net = await make(`${layer('AddOne', 'a', 'x', 'a')} ${layer('AddOne', 'b', 'x', 'b')}`, {
      sources: new Map([['x', owner.blob('x')]]),
    });
    owner.blob('x').set([1, 2, 3]);
    await net.forward();
    expect([...net.blob('b').data]).toEqual([2, 3, 4]);
  });
});

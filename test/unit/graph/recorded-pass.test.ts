// Recorded passes are invisible: whatever changes between two passes, values and errors are those of a net that
// enqueues layer by layer. An observer, which sees every layer, keeps a net from recording.
import { afterEach, describe, expect, it } from 'vitest';
import { registry } from '../../../lib/data/index.js';
import { Blob } from '../../../lib/blob/index.js';
import { ActivationArena, Net, type NetOptions } from '../../../lib/graph/index.js';
import { Stream, type NativeGraph, type NativeStream } from '../../../lib/native/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A stream that counts what it is asked to launch. */
function makeStream(): { stream: NativeStream; launches: () => number } {
  const stream = new Stream({ threads: 2, profile: true });
  closing.push(() => stream.close());
  const launch = stream.launch.bind(stream);
  let count = 0;
  const counting: NativeStream['launch'] = (graph) => {
    count++;
    launch(graph);
  };
  Object.defineProperty(stream, 'launch', { value: counting, configurable: true });
  return { stream, launches: () => count };
}

async function make(text: string, options: Partial<NetOptions> = {}): Promise<Net> {
  const param = parseText('NetParameter', text);
  const net = await Net.create({ param, phase: Phase.TEST, registry, threads: 2, seed: 3, ...options });
  closing.push(() => net.close());
  return net;
}

const quantised = (rounding = '') =>
  `quantization_param { bw_params: 6 fl_params: 4 bw_layer_in: 7 fl_layer_in: 3 bw_layer_out: 8 fl_layer_out: 3 ${rounding} }`;

const conv = (name: string, bottom: string, rest = '', type = 'Convolution') => `
  layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${name}" ${rest}
    convolution_param { num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
  layer { name: "relu_${name}" type: "ReLU" bottom: "${name}" top: "${name}" }`;

const input = (batch: number) =>
  `layer { name: "in" type: "Input" top: "x" input_param { shape { dim: ${batch} dim: 4 dim: 6 dim: 6 } } }`;

/** Two branches, joined; a head that is no ImageLayer. */
const model = (batch: number, rest = '', type = 'Convolution') => `
  ${input(batch)} ${conv('a', 'x', rest, type)} ${conv('b', 'a', rest, type)} ${conv('c', 'a', rest, type)}
  layer { name: "join" type: "Concat" bottom: "b" bottom: "c" top: "join" }
  layer { name: "pool" type: "Pooling" bottom: "join" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
  layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc"
    inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }`;

const observe = () => undefined;

function fillInput(blob: Blob, pass: number): void {
  blob.set(Float32Array.from({ length: blob.count }, (_, i) => (((i + 31 * pass) * 7919) % 97) / 30 - 1.5));
}

/** Passes over new inputs on both nets, the second one observed: the outputs of each pass are the same floats. */
async function compare(net: Net, plain: Net, passes: number, between?: (pass: number, net: Net) => void) {
  for (let pass = 0; pass < passes; pass++) {
    for (const each of [net, plain]) {
      between?.(pass, each);
      fillInput(each.blob('x'), pass);
    }
    await net.forward();
    await plain.forward({ observe });
    for (const [i, { name }] of net.outputs.entries())
      expect([pass, name, ...net.outputs[i].toArray()]).toEqual([pass, name, ...plain.outputs[i].toArray()]);
  }
}

describe('a recorded pass', () => {
  it('is one launch, from the second pass on', async () => {
    const { stream, launches } = makeStream();
    const net = await make(model(1), { stream });
    const counts: number[] = [];
    for (let pass = 0; pass < 4; pass++) {
      await net.forward();
      counts.push(launches());
    }
    expect(counts).toEqual([0, 1, 2, 3]);
    expect(stream.profile().map(({ label, op, calls }) => [label, op, calls])).toEqual([
      ['a', 'convolution', 4],
      ['b', 'convolution', 4],
      ['c', 'convolution', 4],
      ['fc', 'innerProduct', 4],
      ['pool', 'pooling', 4],
      ['prob', 'softmax', 4],
    ]);
  });

  it('is one launch per part of the batch, and one for the layers that take it whole', async () => {
    const { stream, launches } = makeStream();
    const net = await make(model(3), { stream, partBytes: 1 });
    for (let pass = 0; pass < 3; pass++) await net.forward();
    expect(launches()).toBe(8);
    await compare(net, await make(model(3), { keep: 'all' }), 3);
    expect(launches()).toBe(20);
  });

  it.each([
    ['float', model(2), {}],
    ['whole', model(2), { keep: 'all' as const }],
    ['in parts', model(6), { partBytes: 4000 }],
    ['quantised', model(2, quantised(), 'ConvolutionRistretto'), {}],
    ['quantised in parts', model(4, quantised(), 'ConvolutionRistretto'), { partBytes: 1 }],
  ])('sees each pass’s input: %s', async (_, text, options) => {
    const { stream, launches } = makeStream();
    await compare(await make(text, { stream, ...options }), await make(text), 5);
    expect(launches()).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ['float', model(1)],
    ['quantised', model(1, quantised(), 'ConvolutionRistretto')],
  ])('follows weights that change between passes: %s', async (_, text) => {
    const { stream, launches } = makeStream();
    await compare(await make(text, { stream }), await make(text), 9, (pass, { params }) => {
      if (pass % 3 !== 2) return;
      const { blob } = params[(pass - 2) % params.length];
      blob.set(new Float32Array(blob.count).fill(pass / 9));
    });
    expect(launches()).toBe(5);
  });

  it('follows weights that move to another blob’s memory', async () => {
    const text = `${input(1)} ${conv('a', 'x')}`;
    const [net, plain] = [await make(text), await make(text)];
    const shared = new Blob('shared', net.params[0].blob.shape);
    await compare(net, plain, 7, (pass, { params }) => {
      if (pass === 2) params[0].blob.shareData(shared);
      if (pass >= 2) shared.set(new Float32Array(shared.count).fill(pass < 5 ? 0.25 : -0.5));
    });
  });

  it('follows inputs that are reshaped or moved', async () => {
    const [net, plain] = [await make(model(2)), await make(model(2))];
    const elsewhere = new Map([net, plain].map((each) => [each, new Blob('elsewhere', [3, 4, 6, 6])]));
    await compare(net, plain, 12, (pass, each) => {
      if (pass === 3) each.blob('x').reshape([5, 4, 6, 6]);
      if (pass === 6) each.blob('x').reshape([3, 4, 6, 6]);
      if (pass === 9) each.blob('x').shareData(elsewhere.get(each)!);
    });
  });

  it('follows an arena that grows for another net', async () => {
    const { stream, launches } = makeStream();
    const arena = new ActivationArena();
    const [net, plain] = [await make(model(1), { stream, arena }), await make(model(1))];
    await compare(net, plain, 3);
    const before = arena.buffer;
    const larger = await make(model(40), { stream, arena });
    const [largerPlain] = [await make(model(40))];
    for (let round = 0; round < 3; round++) {
      await compare(larger, largerPlain, 2);
      await compare(net, plain, 2);
    }
    expect(arena.buffer).not.toBe(before);
    expect(launches()).toBeGreaterThan(8);
  });

  it('follows shapes that values decide, from the pass on in which they change', async () => {
    const text = `${input(4)} ${conv('a', 'x')}
      layer { name: "sel" type: "Input" top: "sel" input_param { shape { dim: 4 } } }
      layer { name: "some" type: "Filter" bottom: "a" bottom: "sel" top: "some" }
      ${conv('b', 'some')} ${conv('c', 'b')}`;
    const [net, plain] = [await make(text), await make(text)];
    await compare(net, plain, 7, (pass, each) =>
      each.blob('sel').set(pass < 4 ? [1, 1, 1, 1] : [0, 1, 1, pass - 5]),
    );
    expect(net.outputs[0].shape[0]).toBe(3);
  });

  it('is not used for an observed or a partial pass, nor are later ones disturbed by these', async () => {
    const { stream, launches } = makeStream();
    const net = await make(model(1), { stream, keep: 'all' });
    const plain = await make(model(1));
    await compare(net, plain, 2);
    expect(launches()).toBe(1);
    const seen: string[] = [];
    await net.forward({ observe: ({ name }) => void seen.push(name) });
    await net.forward({ to: 3 });
    await net.forward({ from: 2 });
    expect(launches()).toBe(1);
    expect(seen).toEqual(net.layers.map(({ name }) => name));
    await compare(net, plain, 2);
    expect(launches()).toBe(3);
  });

  it('names the layer whose op fails, and runs again', async () => {
    const text = `layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }
      layer { name: "look" type: "Embed" bottom: "x" top: "rows"
        embed_param { input_dim: 3 num_output: 2 weight_filler { type: "xavier" } } }
      layer { name: "twice" type: "Power" bottom: "rows" top: "y" power_param { scale: 2 } }`;
    const { stream, launches } = makeStream();
    const net = await make(text, { stream });
    const pass = async (...rows: number[]) => {
      net.blob('x').set(rows);
      await net.forward();
      return [...net.outputs[0].data];
    };
    const good = await pass(0, 2);
    expect(await pass(0, 2)).toEqual(good);
    await expect(pass(0, 3)).rejects.toThrow(/look/);
    expect(await pass(0, 2)).toEqual(good);
    expect(launches()).toBe(3);
  });

  it('stops where the signal is aborted', async () => {
    const { stream, launches } = makeStream();
    const net = await make(model(1), { stream });
    await net.forward();
    await net.forward();
    await expect(net.forward({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(launches()).toBe(1);
  });

  it.each(['the pass', 'the net'])('stops in the middle of what runs by a signal of %s', async (of) => {
    const { stream } = makeStream();
    const controller = new AbortController();
    const { signal } = controller;
    const names = Array.from({ length: 30 }, (_, i) => `c${i}`);
    const text = input(4096) + names.map((name, i) => conv(name, i ? names[i - 1] : 'x')).join(' ');
    const net = await make(text, { stream, signal: of === 'the net' ? signal : undefined });
    const pass = async (options = {}) => {
      fillInput(net.blob('x'), 1);
      await net.forward(options);
      return [...net.outputs[0].data];
    };
    const good = await pass();
    await pass();
    const callsOfLast = () => stream.profile().find(({ label }) => label === 'c29')!.calls;
    const before = callsOfLast();
    const { launch } = stream;
    Object.defineProperty(stream, 'launch', {
      value: (graph: NativeGraph) => {
        launch(graph);
        controller.abort(new Error('enough'));
      },
      configurable: true,
    });
    await expect(pass(of === 'the pass' ? { signal } : {})).rejects.toThrow('enough');
    expect(callsOfLast()).toBe(before);
    if (of === 'the net') return;
    Object.defineProperty(stream, 'launch', { value: launch });
    expect(await pass()).toEqual(good);
  });

  it.each([
    [
      'pooling that draws',
      `layer { name: "p" type: "Pooling" bottom: "a" top: "p" pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 } }`,
      Phase.TRAIN,
    ],
    ['dropout', 'layer { name: "d" type: "Dropout" bottom: "a" top: "d" }', Phase.TRAIN],
    ['statistics of the batch', 'layer { name: "n" type: "BatchNorm" bottom: "a" top: "n" }', Phase.TRAIN],
    ['quantised training', conv('q', 'a', quantised(), 'ConvolutionRistretto'), Phase.TRAIN],
  ])('leaves out what differs from pass to pass: %s', async (_, text, phase) => {
    const whole = `${input(2)} ${conv('a', 'x')} ${text}`;
    await compare(await make(whole, { phase }), await make(whole, { phase }), 5);
  });

  it('leaves out activations that round stochastically', async () => {
    const text = model(2, quantised(), 'ConvolutionRistretto');
    const options = { rounding: 'stochastic' as const };
    await compare(await make(text, options), await make(text, options), 5);
  });
});

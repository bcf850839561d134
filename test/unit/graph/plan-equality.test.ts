// Every way of running a net gives the same floats: kept whole, fused, in slices, in parts, on new shapes.
import { afterAll, expect, it } from 'vitest';
import { Net, type NetOptions } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import { Stream } from '../../../lib/native/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';

const conv = (
  name: string,
  bottom: string,
  outputs: number,
  kernel: number,
  type = 'Convolution',
  rest = '',
) => `
  layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${name}" ${rest}
    convolution_param { num_output: ${outputs} kernel_size: ${kernel} pad: ${(kernel - 1) / 2}
      weight_filler { type: "xavier" } bias_filler { type: "uniform" min: -1 max: 1 } } }
  layer { name: "relu_${name}" type: "ReLU" bottom: "${name}" top: "${name}" }`;

const quantised = `quantization_param { bw_params: 8 fl_params: 6 bw_layer_in: 8 fl_layer_in: 3 bw_layer_out: 8 fl_layer_out: 3 }`;

/** An inception block between a stem with normalisation and a head that joins images. */
const model = (type: string, rest = '') => `
  layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 6 dim: 3 dim: 19 dim: 19 } } }
  ${conv('stem', 'x', 8, 5, type, rest)}
  layer { name: "norm" type: "LRN" bottom: "stem" top: "norm" }
  layer { name: "pool" type: "Pooling" bottom: "norm" top: "pool" pooling_param { kernel_size: 3 stride: 2 } }
  ${conv('a1', 'pool', 4, 1, type, rest)} ${conv('b1', 'pool', 3, 1, type, rest)} ${conv('b3', 'b1', 5, 3, type, rest)}
  layer { name: "c1" type: "Pooling" bottom: "pool" top: "c1" pooling_param { kernel_size: 3 stride: 1 pad: 1 } }
  ${conv('c2', 'c1', 2, 1, type, rest)}
  layer { name: "join" type: "Concat" bottom: "a1" bottom: "b3" bottom: "c2" top: "join" }
  layer { name: "drop" type: "Dropout" bottom: "join" top: "join" }
  layer { name: "bn" type: "BatchNorm" bottom: "join" top: "bn" batch_norm_param { use_global_stats: true } }
  layer { name: "scale" type: "Scale" bottom: "bn" top: "bn" scale_param { bias_term: true } }
  layer { name: "sum" type: "Eltwise" bottom: "bn" bottom: "join" top: "sum" }
  layer { name: "flat" type: "Flatten" bottom: "sum" top: "flat" }
  layer { name: "relu" type: "ReLU" bottom: "flat" top: "flat" }
  layer { name: "fc" type: "InnerProduct" bottom: "flat" top: "fc"
    inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
  layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
  layer { name: "mvn" type: "MVN" bottom: "pool" top: "mvn" }`;

const stream = new Stream({ threads: 2 });
afterAll(() => stream.close());

it.each([
  ['float', model('Convolution')],
  ['quantised', model('ConvolutionRistretto', quantised)],
])('%s', async (_, text) => {
  const watched = ['a1', 'join', 'sum'];
  const configurations: Partial<NetOptions>[] = [
    { keep: 'all' },
    {},
    { partBytes: 1 },
    { partBytes: 40000 },
    { partBytes: Infinity },
    { partBytes: 1, keep: watched },
  ];
  const seen: Record<string, number[]>[] = [];
  for (const configuration of configurations) {
    const net = await Net.create({
      param: parseText('NetParameter', text),
      phase: Phase.TEST,
      registry,
      stream,
      seed: 5,
      ...configuration,
    });
    const { blobs } = net.layer('bn').layer;
    blobs[0].set(blobs[0].data.map((_, i) => i / 7));
    blobs[1].set(blobs[1].data.map((_, i) => 1 + i / 3));
    blobs[2].set([1]);
    const results: Record<string, number[]> = {};
    for (const batch of [6, 6, 6, 4, 1, 1, 1]) {
      const input = net.blob('x');
      input.reshape([batch, 3, 19, 19]);
      input.set(Float32Array.from({ length: input.count }, (_, i) => ((i * 7919) % 97) / 20 - 2));
      await net.forward();
      for (const blob of net.outputs) results[`${blob.name} ${batch}`] = [...blob.toArray()];
      if (!configuration.keep) continue;
      for (const name of watched) results[`${name} ${batch}`] = [...net.blob(name).toArray()];
    }
    seen.push(results);
    await net.close();
  }
  const [all, ...others] = seen;
  expect(Object.keys(all)).toContain('mvn 4');
  expect(all['prob 6'].every(Number.isFinite)).toBe(true);
  for (const results of others)
    for (const [key, values] of Object.entries(results)) expect([key, values]).toEqual([key, all[key]]);
});

/** Maxima over a ReLU, over Concats of ReLUs, and over what a ReLU did not leave so. */
const trained = (type: string, rest = '') => `
  layer { name: "in" type: "Input" top: "x" top: "label" input_param {
    shape { dim: 4 dim: 3 dim: 21 dim: 21 } shape { dim: 4 } } }
  ${conv('stem', 'x', 6, 3, type, rest)}
  layer { name: "pool" type: "Pooling" bottom: "stem" top: "pool" pooling_param { kernel_size: 3 stride: 2 } }
  ${conv('a', 'pool', 4, 1, type, rest)} ${conv('b', 'pool', 5, 3, type, rest)}
  layer { name: "join" type: "Concat" bottom: "a" bottom: "b" top: "join" }
  layer { name: "pool2" type: "Pooling" bottom: "join" top: "pool2" pooling_param { kernel_size: 2 stride: 2 } }
  ${conv('c', 'pool2', 4, 1, type, rest)} ${conv('d', 'pool2', 3, 3, type, rest).replace(/layer \{ name: "relu_d".*/, '')}
  layer { name: "mixed" type: "Concat" bottom: "c" bottom: "d" top: "mixed" }
  layer { name: "pool3" type: "Pooling" bottom: "mixed" top: "pool3" pooling_param { kernel_size: 3 stride: 2 pad: 1 } }
  layer { name: "pool4" type: "Pooling" bottom: "mixed" top: "pool4" pooling_param { pool: AVE kernel_size: 3 } }
  layer { name: "fc" type: "InnerProduct" bottom: "pool3" top: "fc"
    inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
  layer { name: "fc4" type: "InnerProduct" bottom: "pool4" top: "fc4"
    inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
  layer { name: "loss4" type: "SoftmaxWithLoss" bottom: "fc4" bottom: "label" top: "loss4" }`;

it.each([
  ['float', trained('Convolution')],
  ['quantised', trained('ConvolutionRistretto', quantised)],
])('gradients, %s', async (_, text) => {
  const gradients = async (more: Partial<NetOptions>) => {
    const net = await Net.create({
      param: parseText('NetParameter', text),
      phase: Phase.TRAIN,
      registry,
      threads: 2,
      profile: true,
      seed: 5,
      backward: true,
      ...more,
    });
    net
      .blob('x')
      .set(Float32Array.from({ length: net.blob('x').count }, (_, i) => ((i * 7919) % 97) / 20 - 2));
    net.blob('label').set([0, 3, 6, 2]);
    await net.forward();
    await net.backward();
    const all = net.params.map(({ blob }) => [...blob.diff]);
    const relus = net.stream.profile().filter(({ op }) => op === 'unaryGradient');
    await net.close();
    return { all, relus: relus.map(({ label }) => label).sort() };
  };
  const whole = await gradients({ keep: 'all' });
  const planned = await gradients({});
  expect(whole.all.flat().some((x) => x !== 0)).toBe(true);
  expect(planned.all).toEqual(whole.all);
  expect(whole.relus).toEqual(['relu_a', 'relu_b', 'relu_c', 'relu_stem']);
  // The others' gradients are taken with those of the maxima behind them.
  expect(planned.relus).toEqual(['relu_c']);
});

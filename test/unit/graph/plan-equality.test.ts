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

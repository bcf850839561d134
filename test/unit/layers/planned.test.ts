// A planned net (ReLUs fused, Concats written in place, one arena, the batch in parts) computes what the same net
// computes layer by layer with every blob in memory of its own.
import { describe, expect, it } from 'vitest';
import { Net, type NetOptions } from '../../../lib/graph/index.js';
import { layers } from '../../../lib/layers/index.js';
import { parseText } from '../../../lib/proto/index.js';

const conv = (name: string, bottom: string, fields: string, type = 'Convolution') =>
  `layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${name}"
     convolution_param { ${fields} weight_filler { type: "gaussian" std: 0.3 } bias_filler { type: "uniform" min: -1 } } }`;
const on = (type: string, bottoms: string[], tops: string[], fields = '') =>
  `layer { name: "${tops.join('_')}_${type}" type: "${type}" ${bottoms.map((b) => `bottom: "${b}"`).join(' ')}
     ${tops.map((t) => `top: "${t}"`).join(' ')} ${fields} }`;
const inPlace = (type: string, blob: string, fields = '') => on(type, [blob], [blob], fields);
const input = `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 6 dim: 3 dim: 17 dim: 15 } } }`;

const nets: Record<string, string> = {
  'fire modules': `${input}
    ${conv('squeeze', 'data', 'num_output: 4 kernel_size: 1')} ${inPlace('ReLU', 'squeeze')}
    ${conv('one', 'squeeze', 'num_output: 5 kernel_size: 1')} ${inPlace('ReLU', 'one')}
    ${conv('three', 'squeeze', 'num_output: 6 kernel_size: 3 pad: 1')} ${inPlace('ReLU', 'three')}
    ${on('Concat', ['one', 'three'], ['fire'])}
    ${inPlace('Dropout', 'fire')}
    ${on('Pooling', ['fire'], ['pool'], 'pooling_param { kernel_size: 3 stride: 2 }')}
    ${conv('last', 'pool', 'num_output: 7 kernel_size: 1')} ${inPlace('ReLU', 'last')}
    ${on('Pooling', ['last'], ['mean'], 'pooling_param { pool: AVE global_pooling: true }')}
    ${on('Softmax', ['mean'], ['prob'])}`,
  'residual blocks': `${input}
    ${conv('stem', 'data', 'num_output: 4 kernel_size: 3 pad: 1 bias_term: false')}
    ${inPlace('BatchNorm', 'stem')} ${inPlace('Scale', 'stem', 'scale_param { bias_term: true }')} ${inPlace('ReLU', 'stem')}
    ${conv('branch', 'stem', 'num_output: 4 kernel_size: 3 pad: 1')} ${inPlace('PReLU', 'branch')}
    ${on('Eltwise', ['stem', 'branch'], ['sum'], 'eltwise_param { coeff: 1 coeff: -2 }')} ${inPlace('ReLU', 'sum')}
    ${on('Eltwise', ['sum', 'branch'], ['max'], 'eltwise_param { operation: MAX }')}
    ${inPlace('Bias', 'max', 'bias_param { filler { type: "constant" value: 0.5 } }')}
    ${on('LRN', ['max'], ['lrn'], 'lrn_param { local_size: 3 }')}
    ${on('InnerProduct', ['lrn'], ['fc'], 'inner_product_param { num_output: 5 weight_filler { type: "xavier" } }')}
    ${inPlace('Sigmoid', 'fc')}`,
  'slices of slices': `${input}
    ${conv('a', 'data', 'num_output: 6 kernel_size: 3 group: 3')}
    ${on('Slice', ['a'], ['low', 'high'], 'slice_param { slice_point: 2 }')}
    ${inPlace('Scale', 'low')}
    ${on('TanH', ['high'], ['curved'])}
    ${conv('up', 'high', 'num_output: 2 kernel_size: 3 pad: 1', 'Deconvolution')}
    ${on('BatchNorm', ['up'], ['norm'])}
    ${on('Concat', ['low', 'curved', 'norm'], ['inner'])}
    ${on('Tile', ['low'], ['tiled'], 'tile_param { tiles: 2 }')}
    ${on('Concat', ['inner', 'tiled'], ['outer'])}
    ${on('Flatten', ['outer'], ['flat'])}
    ${on('Reduction', ['flat'], ['total'], 'reduction_param { axis: 1 operation: SUMSQ }')}
    ${on('SPP', ['outer'], ['pyramid'], 'spp_param { pyramid_height: 3 }')}
    ${on('MVN', ['inner'], ['even'])}
    ${on('Crop', ['even', 'low'], ['cropped'], 'crop_param { axis: 1 offset: 1 offset: 0 offset: 0 }')}
    ${on('Reshape', ['cropped'], ['shaped'], 'reshape_param { shape { dim: 0 dim: -1 } }')}`,
};

/** The outputs of two passes with different inputs. */
async function outputs(text: string, options: Partial<NetOptions>): Promise<Record<string, number[]>> {
  const net = await Net.create({
    param: parseText('NetParameter', text),
    registry: layers,
    threads: 2,
    seed: 3,
    ...options,
  });
  try {
    for (const { layer } of net.layers)
      if (layer.type === 'BatchNorm') {
        const channels = layer.blobs[0].count;
        layer.blobs[0].set(Array.from({ length: channels }, (_, c) => c - 1));
        layer.blobs[1].set(Array.from({ length: channels }, (_, c) => c + 0.5));
        layer.blobs[2].set([2]);
      }
    const result: Record<string, number[]> = {};
    for (const pass of [0, 1]) {
      const data = net.blob('data').data;
      for (let i = 0; i < data.length; i++) data[i] = (((i + pass) * 7919) % 255) / 100 - 1;
      await net.forward();
      for (const blob of net.outputs) result[`${blob.name} ${pass}`] = [...blob.toArray()];
    }
    return result;
  } finally {
    await net.close();
  }
}

describe.each(Object.entries(nets))('%s', (_name, text) => {
  it.each([
    ['planned', {}],
    ['in parts of one image', { partBytes: 1 }],
    ['in parts of a few images', { partBytes: 60_000 }],
  ])('%s', async (_how, options) => {
    const expected = await outputs(text, { keep: 'all', partBytes: Infinity });
    const actual = await outputs(text, options);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      expect(values.some((x) => x !== 0 && Number.isFinite(x))).toBe(true);
      expect(actual[name], name).toEqual(values);
    }
  });
});

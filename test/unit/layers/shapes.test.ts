import { describe, expect, it } from 'vitest';
import { makeLayer } from './run-layer.js';

const image = { shape: [2, 6, 11, 9] };

async function shapeOf(
  type: string,
  text: string,
  shape: number[] = image.shape,
): Promise<readonly number[]> {
  const { top } = await makeLayer(type, text, [{ shape }]);
  return top[0].shape;
}
const refusal = (type: string, text: string, shape: number[] = image.shape): Promise<string> =>
  makeLayer(type, text, [{ shape }]).then(
    () => 'accepted',
    (error: Error) => error.message,
  );

describe('Convolution', () => {
  const conv = (fields: string) => `convolution_param { num_output: 4 ${fields} }`;
  it.each([
    ['kernel_size: 3', [2, 4, 9, 7]],
    ['kernel_size: 3 pad: 1 stride: 2', [2, 4, 6, 5]],
    ['kernel_size: 3 kernel_size: 5', [2, 4, 9, 5]],
    ['kernel_h: 3 kernel_w: 5 pad_h: 1 pad_w: 2 stride_h: 2 stride_w: 1', [2, 4, 6, 9]],
    ['kernel_size: 3 dilation: 2 dilation: 1', [2, 4, 7, 7]],
  ])('%s', async (fields, shape) => {
    expect(await shapeOf('Convolution', conv(fields))).toEqual(shape);
  });
  it('takes one spatial axis, and images over several axes', async () => {
    expect(await shapeOf('Convolution', conv('kernel_size: 3'), [2, 6, 9])).toEqual([2, 4, 7]);
    expect(await shapeOf('Convolution', conv('kernel_size: 3 axis: 2'), [2, 3, 6, 11, 9])).toEqual([
      2, 3, 4, 9, 7,
    ]);
  });
  it('makes weights and bias', async () => {
    const { layer } = await makeLayer('Convolution', conv('kernel_h: 3 kernel_w: 5 group: 2'), [image]);
    expect(layer.blobs.map((blob) => blob.shape)).toEqual([[4, 3, 3, 5], [4]]);
    const { layer: plain } = await makeLayer('Convolution', conv('kernel_size: 1 bias_term: false'), [image]);
    expect(plain.blobs.length).toBe(1);
  });
  it.each([
    ['', 'convolution_param.kernel_size: must be given once'],
    ['kernel_size: 0', 'convolution_param.kernel_size: must be at least 1'],
    ['kernel_size: 3 kernel_h: 3 kernel_w: 3', 'convolution_param.kernel_size: give either'],
    ['kernel_size: 3 stride: 0', 'convolution_param.stride: must be at least 1'],
    ['kernel_size: 3 group: 4', 'convolution_param.group: 4 must divide'],
    ['kernel_size: 3 group: 0', 'convolution_param.group: must be at least 1'],
    ['kernel_size: 20', 'convolution_param: the kernel exceeds the padded input'],
    ['kernel_size: 1 num_output: 0', 'convolution_param.num_output: must be at least 1'],
    ['kernel_size: 1 pad: 1 pad: 1 pad: 1', 'convolution_param.pad: must be given once'],
  ])('refuses %s', async (fields, message) => {
    const text = fields.includes('num_output') ? `convolution_param { ${fields} }` : conv(fields);
    expect(await refusal('Convolution', text)).toContain("layer 'it': " + message);
  });
  it('refuses an input of other rank', async () => {
    expect(await refusal('Convolution', conv('kernel_size: 1'), [2, 6])).toContain('spatial axes');
    expect(await refusal('Convolution', conv('kernel_size: 1'), [2, 6, 3, 3, 3])).toContain('spatial axes');
  });
});

it('Deconvolution turns the convolution round', async () => {
  const text = 'convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 2 }';
  const { layer, top } = await makeLayer('Deconvolution', text, [{ shape: [2, 6, 7, 5] }]);
  expect(top[0].shape).toEqual([2, 4, 14, 10]);
  expect(layer.blobs[0].shape).toEqual([6, 2, 4, 4]);
});

describe('InnerProduct', () => {
  it('flattens from its axis on', async () => {
    expect(await shapeOf('InnerProduct', 'inner_product_param { num_output: 5 }')).toEqual([2, 5]);
    expect(await shapeOf('InnerProduct', 'inner_product_param { num_output: 5 axis: -1 }')).toEqual([
      2, 6, 11, 5,
    ]);
  });
  it('needs outputs', async () => {
    expect(await refusal('InnerProduct', '')).toContain(
      "layer 'it': inner_product_param.num_output: must be at least 1",
    );
  });
});

describe('Pooling', () => {
  const pool = (fields: string) => `pooling_param { ${fields} }`;
  it.each([
    ['kernel_size: 3 stride: 2', [2, 6, 5, 4], [2, 6, 11, 9]],
    ['kernel_size: 3 stride: 2', [1, 1, 6, 6], [1, 1, 12, 12]],
    ['kernel_size: 3 stride: 2 round_mode: FLOOR', [1, 1, 5, 5], [1, 1, 12, 12]],
    ['kernel_size: 2 stride: 2 pad: 1', [1, 1, 3, 3], [1, 1, 4, 4]],
    ['kernel_size: 2 stride: 3 pad: 1', [1, 1, 2, 2], [1, 1, 4, 4]],
    ['global_pooling: true', [2, 6, 1, 1], [2, 6, 11, 9]],
    ['kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 1', [2, 6, 6, 7], [2, 6, 11, 9]],
  ])('%s', async (fields, shape, input) => {
    expect(await shapeOf('Pooling', pool(fields), input)).toEqual(shape);
  });
  it.each([
    ['', 'pooling_param.kernel_size: give either'],
    ['kernel_size: 2 kernel_h: 2 kernel_w: 2', 'pooling_param.kernel_size: give either'],
    ['global_pooling: true kernel_size: 2', 'pooling_param.kernel_size: global pooling takes no kernel'],
    ['kernel_size: 2 pad: 2', 'pooling_param.pad: must be less than the kernel'],
    ['kernel_size: 2 stride: 0', 'pooling_param.stride: must be at least 1'],
    ['kernel_size: 2 stride_h: 2', 'pooling_param.stride: give either'],
    ['kernel_size: 20', 'pooling_param.kernel_size: exceeds'],
    ['kernel_size: 2 pool: STOCHASTIC pad: 1', 'pooling_param.pad: stochastic pooling takes no padding'],
  ])('refuses %s', async (fields, message) => {
    expect(await refusal('Pooling', pool(fields))).toContain("layer 'it': " + message);
  });
});

describe('ArgMax', () => {
  it.each([
    ['top_k: 3', [4, 10], [4, 1, 3]],
    ['top_k: 3 out_max_val: true', [4, 10], [4, 2, 3]],
    ['top_k: 2 axis: 1', [2, 5, 3, 4], [2, 2, 3, 4]],
    ['', [2, 5, 3, 4], [2, 1, 1, 1]],
  ])('%s', async (fields, input, shape) => {
    expect(await shapeOf('ArgMax', `argmax_param { ${fields} }`, input)).toEqual(shape);
  });
  it('refuses more than there are', async () => {
    expect(await refusal('ArgMax', 'argmax_param { top_k: 11 }', [4, 10])).toContain(
      "layer 'it': argmax_param.top_k: must be from 1 to the number of scores, 10",
    );
  });
});

it.each([
  ['LRN', 'lrn_param { local_size: 4 }', 'lrn_param.local_size: must be odd'],
  ['Clip', '', 'clip_param: is missing'],
  ['Exp', 'exp_param { base: 0 }', 'exp_param.base: 0 is not a positive number'],
  ['Log', 'log_param { base: 1 }', 'log_param.base: a logarithm to base 1'],
  [
    'ConvolutionRistretto',
    'convolution_param { num_output: 1 kernel_size: 1 } quantization_param { bw_params: 33 }',
    'quantization_param.bw_params: must be from 1 to 32, not 33',
  ],
  [
    'FcRistretto',
    'inner_product_param { num_output: 1 } quantization_param { precision: MINIFLOAT mant_bits: 3 exp_bits: 9 }',
    'quantization_param.exp_bits: must be from 1 to 8, not 9',
  ],
  ['LRNRistretto', '', 'quantization_param.precision: LRN is quantised to minifloat only'],
  [
    'LRNRistretto',
    'lrn_param { norm_region: WITHIN_CHANNEL } quantization_param { precision: MINIFLOAT mant_bits: 3 exp_bits: 4 }',
    'lrn_param.norm_region: LRN is quantised across channels only',
  ],
])('%s refuses %s', async (type, text, message) => {
  expect(await refusal(type, text)).toBe(
    `layer 'it': ${message}${message.endsWith('base 1') ? ' does not exist' : ''}`,
  );
});

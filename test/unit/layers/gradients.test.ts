// Every layer's backward pass against finite differences of its forward pass.
import { describe, expect, it } from 'vitest';
import { layers } from '../../../lib/layers/index.js';
import { checkGradient, type CheckedBottom, type GradientCase } from './gradient-checker.js';

const map: CheckedBottom = { shape: [2, 4, 5, 6] };
const rows: CheckedBottom = { shape: [4, 6] };
const pair: CheckedBottom = { shape: [2, 3, 4] };
const labels = (count: number, classes: number): CheckedBottom => ({
  shape: [count],
  values: Array.from({ length: count }, (_, i) => (5 * i + 1) % classes),
  fixed: true,
});
const filler = 'weight_filler { type: "gaussian" std: 0.5 } bias_filler { type: "gaussian" std: 0.5 }';
const unary = (layer: string, more: Partial<GradientCase> = {}): GradientCase => ({
  layer,
  bottoms: [{ shape: [2, 3, 5], range: [-2, 2] }],
  ...more,
});

/** By layer type; several for those that work in several ways. */
const cases: Record<string, GradientCase[]> = {
  AbsVal: [unary('type: "AbsVal"', { kinks: [0] })],
  BNLL: [unary('type: "BNLL"')],
  BatchNorm: [
    { layer: 'type: "BatchNorm"', bottoms: [map] },
    { layer: 'type: "BatchNorm"', bottoms: [map], phase: 'TEST' },
    { layer: 'type: "BatchNorm"', bottoms: [map], inPlace: true },
  ],
  BatchReindex: [
    {
      layer: 'type: "BatchReindex"',
      bottoms: [rows, { shape: [5], values: [3, 0, 0, 2, 3], fixed: true }],
    },
  ],
  Bias: [
    { layer: 'type: "Bias" bias_param { axis: 1 }', bottoms: [pair] },
    { layer: 'type: "Bias" bias_param { axis: 1 }', bottoms: [pair, { shape: [3] }] },
  ],
  Clip: [unary('type: "Clip" clip_param { min: -0.5 max: 1 }', { kinks: [-0.5, 1] })],
  Concat: [
    { layer: 'type: "Concat"', bottoms: [pair, { shape: [2, 1, 4] }] },
    { layer: 'type: "Concat" concat_param { axis: 0 }', bottoms: [pair, pair] },
  ],
  ContrastiveLoss: [
    {
      layer: 'type: "ContrastiveLoss" contrastive_loss_param { margin: 1.5 }',
      bottoms: [rows, rows, { shape: [4], values: [1, 0, 1, 0], fixed: true }],
      loss: true,
    },
  ],
  Convolution: [
    {
      layer: `type: "Convolution" convolution_param { num_output: 3 kernel_size: 3 pad: 1 ${filler} }`,
      bottoms: [map],
    },
    {
      layer: `type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 stride: 2 dilation: 2 pad: 2 group: 2 ${filler} }`,
      bottoms: [map],
    },
    {
      layer: `type: "Convolution" convolution_param { num_output: 2 kernel_size: 2 ${filler} }`,
      bottoms: [map, map],
      tops: 2,
    },
  ],
  Crop: [
    {
      layer: 'type: "Crop" crop_param { axis: 1 offset: 1 }',
      bottoms: [pair, { shape: [2, 2, 3], fixed: true }],
    },
  ],
  Deconvolution: [
    {
      layer: `type: "Deconvolution" convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 group: 2 ${filler} }`,
      bottoms: [map],
    },
  ],
  Dropout: [
    { layer: 'type: "Dropout" dropout_param { dropout_ratio: 0.3 }', bottoms: [pair] },
    { layer: 'type: "Dropout"', bottoms: [pair], inPlace: true },
    { layer: 'type: "Dropout"', bottoms: [pair], phase: 'TEST' },
  ],
  ELU: [
    unary('type: "ELU" elu_param { alpha: 0.7 }', { kinks: [0], inPlace: true }),
    unary('type: "ELU" elu_param { alpha: -0.7 }', { kinks: [0] }),
  ],
  Eltwise: [
    { layer: 'type: "Eltwise" eltwise_param { coeff: 2 coeff: -0.5 coeff: 1 }', bottoms: [pair, pair, pair] },
    { layer: 'type: "Eltwise" eltwise_param { coeff: 2 coeff: -0.5 }', bottoms: [pair, pair], inPlace: true },
    { layer: 'type: "Eltwise" eltwise_param { operation: PROD }', bottoms: [pair, pair, pair] },
    {
      layer: 'type: "Eltwise" eltwise_param { operation: PROD stable_prod_grad: false }',
      bottoms: [
        { ...pair, range: [0.5, 1.5] },
        { ...pair, range: [0.5, 1.5] },
      ],
    },
    {
      // Far enough apart that no step changes which one is the largest.
      layer: 'type: "Eltwise" eltwise_param { operation: MAX }',
      bottoms: [
        { shape: [2, 3], values: [1, -1, 2, 0, 5, 3] },
        { shape: [2, 3], values: [0, 2, 1, 3, -4, 2] },
      ],
    },
  ],
  Embed: [
    {
      layer: `type: "Embed" embed_param { num_output: 3 input_dim: 5 ${filler} }`,
      bottoms: [{ shape: [4], values: [0, 3, 3, 4], fixed: true }],
    },
  ],
  EuclideanLoss: [{ layer: 'type: "EuclideanLoss"', bottoms: [rows, rows], loss: true }],
  Exp: [unary('type: "Exp" exp_param { base: 2 scale: 0.5 shift: 0.25 }')],
  Filter: [{ layer: 'type: "Filter"', bottoms: [rows, { shape: [4], values: [1, 0, 1, 1], fixed: true }] }],
  Flatten: [{ layer: 'type: "Flatten"', bottoms: [pair] }],
  HingeLoss: [
    { layer: 'type: "HingeLoss"', bottoms: [rows, labels(4, 6)], loss: true, kinks: [1, -1] },
    { layer: 'type: "HingeLoss" hinge_loss_param { norm: L2 }', bottoms: [rows, labels(4, 6)], loss: true },
  ],
  Im2col: [{ layer: 'type: "Im2col" convolution_param { kernel_size: 3 stride: 2 pad: 1 }', bottoms: [map] }],
  InfogainLoss: [
    {
      layer: 'type: "InfogainLoss"',
      bottoms: [
        rows,
        labels(4, 6),
        {
          shape: [1, 1, 6, 6],
          values: Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0.05 * (i % 5))),
          fixed: true,
        },
      ],
      loss: true,
    },
  ],
  InnerProduct: [
    { layer: `type: "InnerProduct" inner_product_param { num_output: 5 ${filler} }`, bottoms: [pair] },
    {
      layer: `type: "InnerProduct" inner_product_param { num_output: 5 transpose: true axis: 2 ${filler} }`,
      bottoms: [pair],
    },
  ],
  LRN: [
    { layer: 'type: "LRN" lrn_param { local_size: 3 alpha: 0.7 beta: 0.75 }', bottoms: [map] },
    {
      layer: 'type: "LRN" lrn_param { local_size: 3 alpha: 0.7 beta: 0.75 norm_region: WITHIN_CHANNEL }',
      bottoms: [map],
    },
  ],
  Log: [unary('type: "Log" log_param { base: 3 scale: 0.5 shift: 2 }')],
  MVN: [
    { layer: 'type: "MVN"', bottoms: [pair] },
    { layer: 'type: "MVN" mvn_param { normalize_variance: false across_channels: true }', bottoms: [pair] },
    { layer: 'type: "MVN" mvn_param { across_channels: true }', bottoms: [pair] },
  ],
  MultinomialLogisticLoss: [
    {
      layer: 'type: "MultinomialLogisticLoss"',
      bottoms: [{ ...rows, range: [0.3, 0.9] }, labels(4, 6)],
      loss: true,
    },
  ],
  PReLU: [
    {
      layer: 'type: "PReLU"',
      bottoms: [{ ...map, range: [-2, 2] }],
      kinks: [0],
      smoothParams: true,
      paramRange: [0.1, 0.5],
    },
    {
      layer: 'type: "PReLU" prelu_param { channel_shared: true }',
      bottoms: [pair],
      kinks: [0],
      smoothParams: true,
    },
  ],
  Pooling: [
    // Values far apart, so that no step changes a window's maximum.
    {
      layer: 'type: "Pooling" pooling_param { kernel_size: 3 stride: 2 }',
      bottoms: [{ shape: [1, 2, 5, 6], values: Array.from({ length: 60 }, (_, i) => ((i * 37) % 61) / 10) }],
    },
    { layer: 'type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }', bottoms: [map] },
    { layer: 'type: "Pooling" pooling_param { pool: AVE global_pooling: true }', bottoms: [map] },
    // With a small step, the draws stay: a window's element changes only where its share crosses the word.
    {
      layer: 'type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }',
      bottoms: [{ shape: [1, 1, 4, 4], values: [9, 0, 9, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 9] }],
      kinks: [0],
    },
  ],
  Power: [
    unary('type: "Power" power_param { power: 2 scale: 0.5 shift: 0.3 }'),
    unary('type: "Power" power_param { power: 1.5 scale: 0.5 shift: 2 }'),
    unary('type: "Power" power_param { power: 1 scale: -3 shift: 2 }'),
    unary('type: "Power" power_param { power: 0 shift: 2 }'),
  ],
  ReLU: [
    unary('type: "ReLU"', { kinks: [0] }),
    unary('type: "ReLU" relu_param { negative_slope: 0.1 }', { kinks: [0], inPlace: true }),
  ],
  Reduction: [
    { layer: 'type: "Reduction" reduction_param { axis: 1 coeff: 2 }', bottoms: [pair] },
    { layer: 'type: "Reduction" reduction_param { operation: MEAN }', bottoms: [pair] },
    { layer: 'type: "Reduction" reduction_param { operation: ASUM axis: 1 }', bottoms: [pair], kinks: [0] },
    { layer: 'type: "Reduction" reduction_param { operation: SUMSQ axis: 2 }', bottoms: [pair] },
  ],
  Reshape: [{ layer: 'type: "Reshape" reshape_param { shape { dim: 0 dim: -1 } }', bottoms: [pair] }],
  SPP: [
    {
      layer: 'type: "SPP" spp_param { pyramid_height: 2 pool: MAX }',
      bottoms: [{ shape: [1, 2, 4, 4], values: Array.from({ length: 32 }, (_, i) => ((i * 19) % 33) / 8) }],
    },
  ],
  Scale: [
    { layer: 'type: "Scale" scale_param { axis: 1 bias_term: true }', bottoms: [map], paramRange: [-1, 1] },
    { layer: 'type: "Scale" scale_param { axis: 1 }', bottoms: [pair, { shape: [3] }] },
    { layer: 'type: "Scale"', bottoms: [map], inPlace: true },
  ],
  Sigmoid: [unary('type: "Sigmoid"'), unary('type: "Sigmoid"', { inPlace: true })],
  SigmoidCrossEntropyLoss: [
    {
      layer: 'type: "SigmoidCrossEntropyLoss"',
      bottoms: [rows, { ...rows, range: [0, 1], fixed: true }],
      loss: true,
    },
  ],
  Slice: [{ layer: 'type: "Slice" slice_param { axis: 1 slice_point: 1 }', bottoms: [pair], tops: 2 }],
  Softmax: [
    { layer: 'type: "Softmax"', bottoms: [pair] },
    { layer: 'type: "Softmax" softmax_param { axis: 0 }', bottoms: [pair] },
  ],
  SoftmaxWithLoss: [
    { layer: 'type: "SoftmaxWithLoss"', bottoms: [rows, labels(4, 6)], loss: true },
    {
      layer: 'type: "SoftmaxWithLoss" loss_param { ignore_label: 1 }',
      bottoms: [{ shape: [2, 3, 4] }, { shape: [2, 4], values: [0, 1, 2, 1, 0, 0, 2, 1], fixed: true }],
      loss: true,
    },
  ],
  Split: [{ layer: 'type: "Split"', bottoms: [pair], tops: 3 }],
  Swish: [unary('type: "Swish" swish_param { beta: 1.5 }')],
  TanH: [unary('type: "TanH"'), unary('type: "TanH"', { inPlace: true })],
  Tile: [{ layer: 'type: "Tile" tile_param { axis: 1 tiles: 3 }', bottoms: [pair] }],
};

/** Layers without a gradient by finite differences, and why. */
const none: Record<string, string> = {
  Accuracy: 'not differentiable',
  ArgMax: 'not differentiable',
  Threshold: 'not differentiable',
  Input: 'has no bottom',
  Parameter: 'its top is its parameter: test/unit/graph/backward.test.ts',
  Silence: 'has no top',
  ConvolutionRistretto: 'steps, passed straight through: test/unit/layers/quantized.test.ts',
  DeconvolutionRistretto: 'as above',
  FcRistretto: 'as above',
  LRNRistretto: 'as above',
};

describe('gradients by finite differences', () => {
  it('know every layer', () => {
    const known = [...Object.keys(cases).filter((type) => cases[type].length), ...Object.keys(none)];
    expect(known.sort()).toEqual(Object.keys(layers).sort());
  });

  const all = Object.values(cases).flatMap((list) => list.map((given) => ({ given, layer: given.layer })));
  it.each(all)('$layer', async ({ given }) => {
    await checkGradient(given);
  });
});

import { expect, it } from 'vitest';
import { Phase } from '../../../lib/proto/index.js';
import { forward, makeLayer, run } from './run-layer.js';

const values = [-2, -0.5, 0, 0.5, 3];
const cases: [string, string, (x: number) => number][] = [
  ['AbsVal', '', Math.abs],
  ['BNLL', '', (x) => Math.log(1 + Math.exp(x))],
  ['Clip', 'clip_param { min: -1 max: 2 }', (x) => Math.min(Math.max(x, -1), 2)],
  ['ELU', 'elu_param { alpha: 0.5 }', (x) => (x > 0 ? x : 0.5 * Math.expm1(x))],
  ['Exp', 'exp_param { base: 2 scale: 3 shift: 1 }', (x) => 2 ** (3 * x + 1)],
  ['Log', 'log_param { base: 10 scale: 1 shift: 4 }', (x) => Math.log10(x + 4)],
  ['Power', 'power_param { power: 1.5 shift: 4 }', (x) => (x + 4) ** 1.5],
  ['Power', 'power_param { power: 2 scale: 3 }', (x) => 9 * x * x],
  ['Power', 'power_param { power: 1 scale: 3 shift: 1 }', (x) => 3 * x + 1],
  ['ReLU', '', (x) => Math.max(x, 0)],
  ['ReLU', 'relu_param { negative_slope: 0.25 }', (x) => (x > 0 ? x : x / 4)],
  ['Sigmoid', '', (x) => 1 / (1 + Math.exp(-x))],
  ['Swish', 'swish_param { beta: 2 }', (x) => x / (1 + Math.exp(-2 * x))],
  ['TanH', '', Math.tanh],
  ['Threshold', 'threshold_param { threshold: 0.5 }', (x) => (x > 0.5 ? 1 : 0)],
];

it.each(cases)('%s { %s }', async (type, text, f) => {
  const [out] = await run(type, text, [{ shape: [5], values }]);
  out.forEach((value, i) => expect(value).toBeCloseTo(f(values[i]), 5));
});

it('Power with a factor of 0 ignores its input, even an infinite one', async () => {
  const infinite = { shape: [2], values: [Infinity, 1] };
  expect(await run('Power', 'power_param { scale: 0 shift: 3 power: 2 }', [infinite])).toEqual([[9, 9]]);
  expect(await run('Power', 'power_param { power: 0 }', [infinite])).toEqual([[1, 1]]);
});

it('works in place', async () => {
  const made = await makeLayer('ReLU', '', [{ shape: [5], values }]);
  made.top[0] = made.bottom[0];
  expect(await forward(made)).toEqual([[0, 0, 0, 0.5, 3]]);
});

it('Pooling gives the places of the maxima as its second top', async () => {
  const made = await makeLayer(
    'Pooling',
    'pooling_param { kernel_size: 2 stride: 2 }',
    [{ shape: [1, 1, 2, 4], values: [1, 2, 0, 0, 5, 3, 0, 7] }],
    { tops: 2 },
  );
  expect(await forward(made)).toEqual([
    [5, 7],
    [4, 7],
  ]);
});

it('stochastic pooling draws in TRAIN and takes the weighted mean in TEST', async () => {
  const text = 'pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }';
  const image = { shape: [1, 64, 2, 2], values: (i: number) => [1, 3, 0, 0][i % 4] };
  const [mean] = await run('Pooling', text, [image]);
  expect(new Set(mean)).toEqual(new Set([2.5]));
  const made = await makeLayer('Pooling', text, [image], { phase: Phase.TRAIN, seed: 3 });
  const [first] = await forward(made);
  expect(new Set(first)).toEqual(new Set([1, 3]));
  expect(await forward(made)).not.toEqual([first]);
  const again = await makeLayer('Pooling', text, [image], { phase: Phase.TRAIN, seed: 3 });
  expect(await forward(again)).toEqual([first]);
});

it('Softmax sums to 1 along its axis', async () => {
  const [out] = await run('Softmax', 'softmax_param { axis: -1 }', [
    { shape: [2, 2], values: [0, 0, 1, 1000] },
  ]);
  expect(out).toEqual([0.5, 0.5, 0, 1]);
});

it.each([
  ['Convolution', 'convolution_param { num_output: 2 kernel_size: 1 }'],
  ['InnerProduct', 'inner_product_param { num_output: 2 }'],
  ['Pooling', 'pooling_param { kernel_size: 1 }'],
])('%s refuses to run in place', async (type, text) => {
  const made = await makeLayer(type, text, [{ shape: [1, 2, 1, 1] }]);
  await expect(async () => made.layer.setup(made.bottom, made.bottom)).rejects.toThrow(
    "layer 'it': cannot run in place",
  );
});

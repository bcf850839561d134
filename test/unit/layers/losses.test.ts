import { expect, it } from 'vitest';
import { forward, makeLayer, run } from './run-layer.js';

const scores = { shape: [2, 3], values: [1, 2, 3, 0, 0, 0] };
const probability = (x: number, all: number[]) => Math.exp(x) / all.reduce((sum, y) => sum + Math.exp(y), 0);

it('SoftmaxWithLoss: mean of -log p over the labels not ignored; probabilities as second top', async () => {
  const labels = { shape: [2], values: [2, 1] };
  const expected = (-Math.log(probability(3, [1, 2, 3])) + Math.log(3)) / 2;
  const [loss, probabilities] = await run('SoftmaxWithLoss', '', [scores, labels], { tops: 2 });
  expect(loss[0]).toBeCloseTo(expected, 6);
  expect(probabilities[2]).toBeCloseTo(probability(3, [1, 2, 3]), 6);
  const [one] = await run('SoftmaxWithLoss', 'loss_param { ignore_label: 2 }', [scores, labels]);
  expect(one[0]).toBeCloseTo(Math.log(3), 6);
  const [old] = await run('SoftmaxWithLoss', 'loss_param { ignore_label: 2 normalize: false }', [
    scores,
    labels,
  ]);
  expect(old[0]).toBeCloseTo(Math.log(3) / 2, 6);
});

it('is 0, not NaN, where every label is ignored', async () => {
  const labels = { shape: [2], values: [1, 1] };
  const [loss] = await run('SoftmaxWithLoss', 'loss_param { ignore_label: 1 }', [scores, labels]);
  expect(loss).toEqual([0]);
  expect(await run('Accuracy', 'accuracy_param { ignore_label: 1 }', [scores, labels])).toEqual([[0]]);
});

it.each(['SoftmaxWithLoss', 'HingeLoss', 'Accuracy'])(
  '%s names layer, record, label and classes where a label is no class',
  async (type) => {
    const messageFor = async (label: number) => {
      const made = await makeLayer(type, '', [scores, { shape: [2], values: [0, label] }]);
      return forward(made).then(
        () => 'no error',
        (error: Error) => error.message,
      );
    };
    const record =
      /layer 'it': label 3 \(record 1 of the batch, from 0\) is not a class: there are 3, 0 to 2; num_output/;
    expect(await messageFor(3)).toMatch(record);
    expect(await messageFor(-1)).toMatch(/label -1 \(record 1 .*there are 3, 0 to 2; ignore_label/);
    expect(await messageFor(16777216)).toMatch(/label 16777216 \(/);
    expect(await messageFor(NaN)).toMatch(/label nan \(/);
  },
);

it('names layer and field where the infogain matrix cannot be read', async () => {
  const labels = { shape: [2], values: [0, 1] };
  await expect(
    makeLayer('InfogainLoss', 'infogain_loss_param { source: "/nowhere/gain" }', [scores, labels]),
  ).rejects.toThrow(
    "/nowhere/gain: layer 'it': infogain_loss_param.source: cannot be read (ENOENT): there is no such file",
  );
});

it('names the place in the record where there is a label for each', async () => {
  const map = { shape: [2, 2, 1, 3] };
  const labels = { shape: [2, 1, 1, 3], values: [0, 0, 0, 0, 7, 0] };
  await expect(forward(await makeLayer('SoftmaxWithLoss', '', [map, labels]))).rejects.toThrow(
    'label 7 (record 1 of the batch, from 0, position 1) is not a class: there are 2',
  );
});

it('names the layer where labels and scores do not fit', async () => {
  await expect(makeLayer('Accuracy', '', [scores, { shape: [2, 3] }])).rejects.toThrow(
    "layer 'it': bottom 'b0' (2, 3) needs 2 labels along axis 1; 'b1' (2, 3) has 6",
  );
  await expect(makeLayer('SoftmaxWithLoss', '', [scores, { shape: [3] }])).rejects.toThrow(
    'must have the same first dimension',
  );
  await expect(
    makeLayer('Accuracy', 'accuracy_param { top_k: 4 }', [scores, { shape: [2] }]),
  ).rejects.toThrow("layer 'it': accuracy_param.top_k: must be from 1 to the number of classes, 3");
});

it('Accuracy counts ties against the true class', async () => {
  expect(await run('Accuracy', '', [scores, { shape: [2], values: [2, 0] }])).toEqual([[0.5]]);
});

it('losses weigh 1 by default, in their first top only', async () => {
  const { layer } = await makeLayer('SoftmaxWithLoss', '', [scores, { shape: [2] }], { tops: 2 });
  expect([layer.defaultLossWeight(0), layer.defaultLossWeight(1)]).toEqual([1, 0]);
});

it('EuclideanLoss, HingeLoss, MultinomialLogisticLoss, SigmoidCrossEntropyLoss', async () => {
  const pair = [
    { shape: [2, 2], values: [1, 2, 3, 4] },
    { shape: [2, 2], values: [0, 0, 0, 0] },
  ];
  expect(await run('EuclideanLoss', '', pair)).toEqual([[7.5]]);
  const label = { shape: [2], values: [0, 1] };
  expect(await run('HingeLoss', '', [pair[0], label])).toEqual([[(0 + 3 + 4 + 0) / 2]]);
  expect(await run('HingeLoss', 'hinge_loss_param { norm: L2 }', [pair[0], label])).toEqual([[12.5]]);
  const [multinomial] = await run('MultinomialLogisticLoss', '', [
    { shape: [2, 2], values: [0.5, 0.5, 0, 0] },
    label,
  ]);
  expect(multinomial[0]).toBeCloseTo((Math.log(2) - Math.log(1e-20)) / 2, 4);
  const [sigmoid] = await run('SigmoidCrossEntropyLoss', '', [
    { shape: [1, 2], values: [1000, 0] },
    { shape: [1, 2], values: [1, 0] },
  ]);
  expect(sigmoid[0]).toBeCloseTo(Math.log(2), 6);
});

it('a loss that hands out its probabilities reads them again in its backward pass', async () => {
  const bottoms = [
    { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
    { shape: [2], values: [0, 2] },
  ];
  const alone = await makeLayer('SoftmaxWithLoss', 'top: "loss"', bottoms);
  const both = await makeLayer('SoftmaxWithLoss', 'top: "loss" top: "probabilities"', bottoms, { tops: 2 });
  expect(alone.layer.backwardReads).toEqual({ bottom: true, top: false });
  expect(both.layer.backwardReads).toEqual({ bottom: true, top: true });
});

// Layers that combine blobs, scale them, or normalise them by statistics.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { create, encodeFile, Phase } from '../../../lib/proto/index.js';
import { Stream } from '../../../lib/native/index.js';
import { blobOf, forward, makeLayer, run } from './run-layer.js';

const refusal = (...args: Parameters<typeof makeLayer>): Promise<string> =>
  makeLayer(...args).then(
    () => 'accepted',
    (error: Error) => error.message,
  );

describe('Eltwise', () => {
  const given = [
    { shape: [2, 2], values: [1, -2, 3, 4] },
    { shape: [2, 2], values: [5, 6, -7, 8] },
  ];
  it.each([
    ['', [6, 4, -4, 12]],
    ['coeff: 2 coeff: -1', [-3, -10, 13, 0]],
    ['operation: PROD', [5, -12, -21, 32]],
    ['operation: MAX', [5, 6, 3, 8]],
  ])('%s', async (fields, values) => {
    expect(await run('Eltwise', `eltwise_param { ${fields} }`, given)).toEqual([values]);
  });
  it('refuses coefficients that do not fit', async () => {
    expect(await refusal('Eltwise', 'eltwise_param { coeff: 1 }', given)).toMatch(/given 1 times for 2/);
    expect(await refusal('Eltwise', 'eltwise_param { operation: PROD coeff: 1 coeff: 2 }', given)).toMatch(
      /only a sum/,
    );
    expect(await refusal('Eltwise', '', [given[0], { shape: [4] }])).toMatch(/differ in shape/);
  });
});

describe('Scale and Bias', () => {
  const bottom = { shape: [2, 2, 3], values: (i: number) => i };
  it('broadcast a second bottom over the axes that it lacks', async () => {
    const factor = { shape: [2], values: [10, 100] };
    expect(await run('Scale', 'scale_param { axis: 1 }', [bottom, factor])).toEqual([
      [0, 10, 20, 300, 400, 500, 60, 70, 80, 900, 1000, 1100],
    ]);
    expect(await run('Bias', 'bias_param { axis: 0 }', [bottom, factor])).toEqual([
      [10, 11, 12, 13, 14, 15, 106, 107, 108, 109, 110, 111],
    ]);
  });
  it.each([
    ['axis: 1 num_axes: 1', [2]],
    ['axis: 1 num_axes: -1', [2, 3]],
    ['axis: -1', [3]],
    ['num_axes: 0', []],
  ])('learn a factor of the shape that %s says', async (fields, shape) => {
    const { layer } = await makeLayer('Scale', `scale_param { ${fields} bias_term: true }`, [bottom]);
    expect(layer.blobs.map((blob) => blob.shape)).toEqual([shape, shape]);
  });
  it('with a second bottom, a bias is the only parameter', async () => {
    const made = await makeLayer('Scale', 'scale_param { axis: 1 bias_term: true }', [
      bottom,
      { shape: [2], values: [0, 1] },
    ]);
    expect(made.layer.blobs.length).toBe(1);
    made.layer.blobs[0].set([7, 8]);
    expect(await forward(made)).toEqual([[7, 7, 7, 11, 12, 13, 7, 7, 7, 17, 18, 19]]);
  });
  it('refuse factors that do not fit', async () => {
    expect(await refusal('Scale', 'scale_param { axis: 1 }', [bottom, { shape: [3] }])).toMatch(
      /'b1' \(3\) does not fit bottom 'b0' \(2, 2, 3\) from axis 1 on/,
    );
    expect(await refusal('Bias', 'bias_param { axis: 2 num_axes: 2 }', [bottom])).toMatch(/ends beyond/);
    expect(await refusal('Bias', 'bias_param { num_axes: -2 }', [bottom])).toMatch(/at least -1/);
  });
});

describe('BatchNorm', () => {
  it('normalises two axes, and one', async () => {
    for (const shape of [[4, 1], [4]]) {
      const made = await makeLayer(
        'BatchNorm',
        'batch_norm_param { eps: 0 }',
        [{ shape, values: [1, 2, 3, 6] }],
        {
          phase: Phase.TRAIN,
        },
      );
      const [values] = await forward(made);
      const deviation = Math.sqrt(14 / 4);
      [-2, -1, 0, 3].forEach((x, i) => expect(values[i]).toBeCloseTo(x / deviation, 6));
      const [mean, variance, weight] = made.layer.blobs.map((blob) => blob.data[0]);
      expect([mean, weight]).toEqual([3, 1]);
      expect(variance).toBeCloseTo((14 / 4) * (4 / 3), 6);
    }
  });
  it('refuses learning rates for statistics', async () => {
    expect(
      await refusal('BatchNorm', 'param { lr_mult: 0 } param { lr_mult: 1 }', [{ shape: [2, 3] }]),
    ).toMatch(/param\[1\].lr_mult: must be 0/);
  });
});

describe('Dropout', () => {
  const values = (i: number) => i + 1;
  const bottom = { shape: [4, 1000], values };
  it('changes nothing in TEST', async () => {
    const {
      bottom: [b],
      top: [t],
    } = await makeLayer('Dropout', '', [bottom]);
    expect(t.owner).toBe(b);
  });
  it('in TRAIN drops its share by seed, anew at each pass, and scales the rest', async () => {
    const options = { phase: Phase.TRAIN, seed: 7 };
    const make = (seed = 7) =>
      makeLayer('Dropout', 'dropout_param { dropout_ratio: 0.25 }', [bottom], { ...options, seed });
    const made = await make();
    const first = (await forward(made))[0];
    const second = (await forward(made))[0];
    const dropped = first.filter((x) => x === 0).length;
    expect(dropped).toBeGreaterThan(850);
    expect(dropped).toBeLessThan(1150);
    first.forEach((x, i) => expect(x === 0 || x === Math.fround(values(i) * Math.fround(4 / 3))).toBe(true));
    expect(second).not.toEqual(first);
    expect((await forward(await make(), new Stream({ threads: 3 })))[0]).toEqual(first);
    expect((await forward(await make(8)))[0]).not.toEqual(first);
  });
  it('refuses a share of 1', async () => {
    expect(await refusal('Dropout', 'dropout_param { dropout_ratio: 1 }', [bottom])).toMatch(/less than 1/);
  });
});

it('MVN over channels or images', async () => {
  const bottom = { shape: [1, 2, 2], values: [1, 3, 10, 30] };
  expect(await run('MVN', 'mvn_param { normalize_variance: false }', [bottom])).toEqual([[-1, 1, -10, 10]]);
  expect(await run('MVN', 'mvn_param { normalize_variance: false across_channels: true }', [bottom])).toEqual(
    [[-10, -8, -1, 19]],
  );
  const [values] = await run('MVN', 'mvn_param { eps: 1 }', [bottom]);
  [-0.5, 0.5, -10 / 11, 10 / 11].forEach((x, i) => expect(values[i]).toBeCloseTo(x, 6));
});

it('Reduction of everything, and of the last axis', async () => {
  const bottom = { shape: [2, 2], values: [1, -2, 3, -4] };
  expect(await run('Reduction', '', [bottom])).toEqual([[-2]]);
  expect(await run('Reduction', 'reduction_param { operation: MEAN axis: -1 coeff: 4 }', [bottom])).toEqual([
    [-2, -2],
  ]);
});

describe('InfogainLoss', () => {
  const scores = { shape: [3, 4], values: (i: number) => ((i * 7) % 5) - 2 };
  const labels = { shape: [3], values: [2, 0, 3] };
  const identity = (i: number) => (i % 5 === 0 ? 1 : 0);

  it('is the softmax loss where the matrix is the identity', async () => {
    const [[expected]] = await run('SoftmaxWithLoss', '', [scores, labels]);
    const matrix = { shape: [1, 1, 4, 4], values: identity };
    const [[loss]] = await run('InfogainLoss', '', [scores, labels, matrix]);
    expect(loss).toBeCloseTo(expected, 6);
  });

  it('reads the matrix from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'infogain-'));
    try {
      const data = Array.from({ length: 16 }, (_, i) => 2 * identity(i));
      await encodeFile(
        join(folder, 'h.binaryproto'),
        create('BlobProto', { num: 1, channels: 1, height: 4, width: 4, data }),
      );
      const text = 'infogain_loss_param { source: "h.binaryproto" }';
      const [[loss]] = await run('InfogainLoss', text, [scores, labels], { baseFolder: folder });
      const [[half]] = await run('SoftmaxWithLoss', '', [scores, labels]);
      expect(loss).toBeCloseTo(2 * half, 6);
      expect(
        await refusal('InfogainLoss', text, [{ shape: [3, 5] }, labels], { baseFolder: folder }),
      ).toMatch(/16 elements for 5 classes/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('needs a matrix', async () => {
    expect(await refusal('InfogainLoss', '', [scores, labels])).toMatch(
      /infogain_loss_param.source: is missing/,
    );
  });
});

it('ContrastiveLoss is NaN where a label is', async () => {
  const loss = async (legacy: boolean, ...labels: number[]) => {
    const param = `contrastive_loss_param { legacy_version: ${legacy} }`;
    const pairs = [1, 2].map((value) => ({ shape: [2, 1], values: [value, value] }));
    return (await run('ContrastiveLoss', param, [...pairs, { shape: [2], values: labels }]))[0][0];
  };
  for (const legacy of [false, true]) {
    expect(await loss(legacy, 1, 1)).toBe(0.5);
    expect(await loss(legacy, 1, NaN)).toBe(NaN);
  }
});

it('ContrastiveLoss refuses pairs that do not fit', async () => {
  const pairs = { shape: [3, 4] };
  expect(await refusal('ContrastiveLoss', '', [pairs, { shape: [3, 5] }, { shape: [3] }])).toMatch(
    /vectors of one length/,
  );
  expect(await refusal('ContrastiveLoss', '', [pairs, pairs, { shape: [3, 2] }])).toMatch(
    /one element per pair, 3/,
  );
});

it('PReLU takes its slope per channel', async () => {
  const made = await makeLayer('PReLU', '', [{ shape: [1, 2, 2], values: [-1, 1, -2, 2] }]);
  made.layer.blobs[0].set([0.5, -1]);
  expect(await forward(made)).toEqual([[-0.5, 1, 2, 2]]);
  expect(await refusal('PReLU', '', [{ shape: [3] }])).toMatch(/at least two axes/);
});

it('a slice of a larger blob is read and written in its place', async () => {
  const whole = blobOf('whole', { shape: [2, 5], values: (i) => i + 1 });
  const made = await makeLayer('Scale', '', [{ shape: [2, 2] }]);
  made.layer.blobs[0].set([10, 100]);
  made.bottom[0].shareData(whole, 1, 5);
  made.top[0].shareData(whole, 3, 5);
  await forward(made);
  expect([...whole.data]).toEqual([1, 2, 3, 20, 300, 6, 7, 8, 70, 800]);
});

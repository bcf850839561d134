// The whole of SqueezeNet in float32 against the original: shapes, the first image's blobs, every prediction.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../lib/data/index.js';
import { Blob } from '../../lib/blob/index.js';
import { Net, type NetOptions } from '../../lib/graph/index.js';
import { Stream, type NativeStream } from '../../lib/native/index.js';
import { clone, Phase, readNetBinary, readNetText, type NetParameter } from '../../lib/proto/index.js';
import { hasReference, reference } from './reference.js';

interface ReferenceBlob {
  blob: string;
  shape: number[];
  sum: number;
  maxAbs: number;
  samples: [index: number, value: number][];
}

interface ReferenceNet {
  top1: number;
  top5: number;
  predictions: number[];
  firstImage: ReferenceBlob[];
}

const { batch: BATCH, images: IMAGES } = hasReference
  ? JSON.parse(readFileSync(join(reference, 'reference/squeezenet.json'), 'utf8')).search
  : { batch: 1, images: 1 };

describe.skipIf(!hasReference)('SqueezeNet in float32 (skipped where RISTRETTO_REFERENCE is absent)', () => {
  let float: ReferenceNet;
  let model: NetParameter;
  let weights: NetParameter;
  let stream: NativeStream;
  const open: Net[] = [];

  beforeAll(() => {
    float = JSON.parse(readFileSync(join(reference, 'reference/squeezenet.json'), 'utf8')).nets.float;
    model = readNetText(join(reference, 'data/squeezenet/train_val.prototxt'));
    weights = readNetBinary(join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel'));
    stream = new Stream();
  });
  afterAll(async () => {
    for (const net of open) await net.close();
    stream?.close();
  });

  async function make(options: Partial<NetOptions>, batch = BATCH): Promise<Net> {
    const param = clone(model);
    for (const { data_param: data } of param.layer) if (data) data.batch_size = batch;
    const net = await Net.create({
      param,
      phase: Phase.TEST,
      registry,
      stream,
      dataSource: join(reference, 'data/imagenet/lmdb'),
      ...options,
    });
    open.push(net);
    await net.copyTrainedLayers(weights);
    return net;
  }

  const isPerBatch = (name: string) => /^(loss|accuracy)/.test(name);

  it('has the shapes of all blobs', async () => {
    const sources = new Map([
      ['data', new Blob('data', [BATCH, 3, 227, 227])],
      ['label', new Blob('label', [BATCH])],
    ]);
    const net = await make({ sources });
    const names = [...net.shapes.keys()].filter((name) => !/_split_\d+$/.test(name));
    expect(new Set(float.firstImage.map(({ blob }) => blob))).toEqual(new Set(names));
    for (const { blob, shape } of float.firstImage) {
      const expected = isPerBatch(blob) ? [] : blob === 'label' ? [BATCH] : [BATCH, ...shape];
      expect({ blob, shape: net.shapes.get(blob) }).toEqual({ blob, shape: expected });
    }
    expect(net.outputNames).toEqual(['accuracy_top1', 'accuracy_top5', 'loss']);
    expect(net.memory.total).toBeLessThan(200 * 2 ** 20);
  });

  /** Largest difference at the samples, and of the mean, each relative to the largest magnitude. */
  function difference(values: Float32Array, { samples, sum, maxAbs }: ReferenceBlob): number {
    const scale = maxAbs || 1;
    let total = 0;
    let largest = 0;
    for (const value of values) {
      total += value;
      largest = Math.max(largest, Math.abs(value));
    }
    return Math.max(
      Math.abs(largest - maxAbs) / scale,
      Math.abs(total - sum) / values.length / scale,
      ...samples.map(([index, value]) => Math.abs(values[index] - value) / scale),
    );
  }

  it.each([
    ['every blob kept', 1, { keep: 'all' }],
    ['fused, in slices, in parts', 4, { keep: ['conv1', 'fire2/concat', 'fire5/conv1x1_1', 'pool_final'] }],
    ['one arena, whole batches', 3, { keep: ['fire4/conv3x3_2', 'conv_final'], partBytes: Infinity }],
  ] as [string, number, Partial<NetOptions>][])(
    "gives the first image's blobs: %s",
    async (_, batch, options) => {
      const net = await make(options, batch);
      await net.forward();
      const kept =
        options.keep === 'all' ? float.firstImage.map(({ blob }) => blob) : (options.keep as string[]);
      const worst = float.firstImage
        .filter(({ blob }) => kept.includes(blob) && !isPerBatch(blob))
        .map((expected) => {
          const blob = net.blob(expected.blob);
          const image = blob.toArray().subarray(0, blob.countFrom(1));
          return { blob: expected.blob, difference: difference(image, expected) };
        })
        .filter((result) => !(result.difference <= 1e-4));
      expect(worst).toEqual([]);
    },
  );

  it('scores every image as the original does', async () => {
    const net = await make({ keep: ['pool_final', 'label'] });
    const sums = { accuracy_top1: 0, accuracy_top5: 0, loss: 0 };
    const predictions: number[] = [];
    for (let batch = 0; batch < IMAGES / BATCH; batch++) {
      await net.forward();
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += net.blob(name).data[0];
      const scores = net.blob('pool_final').toArray();
      const classes = scores.length / BATCH;
      for (let image = 0; image < BATCH; image++) {
        const own = scores.subarray(image * classes, (image + 1) * classes);
        predictions.push(own.indexOf(Math.max(...own)));
      }
      if (batch > 0) continue;
      for (const expected of float.firstImage.filter(({ blob }) => isPerBatch(blob)))
        expect(net.blob(expected.blob).data[0]).toBeCloseTo(expected.maxAbs, 4);
    }
    const batches = IMAGES / BATCH;
    expect(sums.accuracy_top1 / batches).toBeCloseTo(float.top1, 6);
    expect(sums.accuracy_top5 / batches).toBeCloseTo(float.top5, 6);
    // Rounding may turn a tie; the accuracies above have no room for more.
    expect(predictions.filter((prediction, i) => prediction !== float.predictions[i]).length).toBeLessThan(2);
  });
});

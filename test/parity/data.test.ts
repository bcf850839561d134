// The data layers on the reference databases: the blobs that the original's nets saw, bit for bit.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Blob } from '../../lib/blob/index.js';
import { computeImageMean, registry } from '../../lib/data/index.js';
import { LmdbReader, Stream } from '../../lib/native/index.js';
import {
  decode,
  encode,
  Phase,
  readBlobProto,
  readNetText,
  type LayerParameter,
} from '../../lib/proto/index.js';

const root = resolve(import.meta.dirname, '../..');
const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
const present = existsSync(resolve(reference, 'reference/README.md'));
const why = present ? '' : ` (skipped: no reference data at ${reference}, set RISTRETTO_REFERENCE)`;

/** The prototxts' sources are relative to the project's root and start with ../shared. */
function redirect(path: string): string {
  return path.replace(/^\.\.\/shared/, reference);
}

function testLayer(prototxt: string): LayerParameter {
  const layer = readNetText(resolve(reference, prototxt)).layer.find(
    ({ type, include }) => type === 'Data' && (include.length === 0 || include[0].phase === Phase.TEST),
  )!;
  layer.data_param!.source = redirect(layer.data_param!.source);
  if (layer.transform_param?.mean_file)
    layer.transform_param.mean_file = redirect(layer.transform_param.mean_file);
  return layer;
}

function hashOf(values: Float32Array): string {
  // -0 counts as 0.
  return createHash('sha256')
    .update(Buffer.from(values.map((x) => x + 0).buffer))
    .digest('hex');
}

/** The labels of a database of Datums, in its order. */
async function labelsOf(source: string): Promise<number[]> {
  const reader = new LmdbReader(source);
  const labels: number[] = [];
  for (let at = 0; at < reader.entries; at += 100)
    for (const { value } of await reader.read(at, Math.min(100, reader.entries - at)))
      labels.push(decode('Datum', value).label);
  reader.close();
  return labels;
}

/** Runs a data layer for some batches; calls back with each one's data and labels. */
async function batches(
  param: LayerParameter,
  count: number,
  see: (data: Float32Array, labels: Float32Array, shape: readonly number[]) => void,
) {
  const layer = registry[param.type](param, { phase: Phase.TEST, seed: 0 });
  const top = [new Blob('data'), new Blob('label')];
  const stream = new Stream({ threads: 2 });
  await layer.setup([], top);
  layer.reshape([], top);
  for (let i = 0; i < count; i++) {
    await layer.forward([], top, stream);
    await stream.sync();
    see(top[0].data, top[1].data, top[0].shape);
  }
  await layer.close();
  stream.close();
}

describe.skipIf(!present)(`reference databases${why}`, () => {
  it('gives the first image and the labels of the ImageNet LMDB', async () => {
    const { nets } = JSON.parse(readFileSync(resolve(reference, 'reference/squeezenet.json'), 'utf8'));
    const expected = nets.float.firstImage;
    const layer = testLayer('data/squeezenet/train_val.prototxt');
    const batch = layer.data_param!.batch_size;
    const stored = await labelsOf(layer.data_param!.source);
    const labels: number[] = [];
    let first = '';
    await batches(layer, Math.ceil(stored.length / batch) + 1, (data, label, shape) => {
      expect(shape).toEqual([batch, 3, 227, 227]);
      if (!first) first = hashOf(data.subarray(0, 3 * 227 * 227));
      labels.push(...label);
    });
    expect(first).toBe(expected.find(({ blob }: { blob: string }) => blob === 'data').sha256);
    // Behind the last one it starts over.
    expect(labels).toEqual(labels.map((_, i) => stored[i % stored.length]));
  });

  it('decodes CIFAR-10 Datums that state no size, less the mean image', async () => {
    const param = testLayer('data/cifar10/cifar10_quick_train_test.prototxt');
    let sum = 0;
    await batches(param, 20, (data, labels, shape) => {
      expect(shape).toEqual([100, 3, 32, 32]);
      expect(Math.max(...labels)).toBeLessThan(10);
      sum += data.reduce((a, b) => a + b) / data.length / 20;
    });
    expect(Math.abs(sum)).toBeLessThan(3);
  });
});

describe.skipIf(!present)(`tools${why}`, () => {
  it('computes the mean image that the original computed', async () => {
    const { mean, count, channelMeans } = await computeImageMean({
      db: resolve(reference, 'data/cifar10/train_lmdb'),
    });
    const expected = readBlobProto(resolve(reference, 'data/cifar10/mean.binaryproto'));
    expect(count).toBe((await labelsOf(resolve(reference, 'data/cifar10/train_lmdb'))).length);
    expect(hashOf(mean.data)).toBe(hashOf(expected.data));
    expect(encode(mean)).toEqual(encode(expected));
    for (const value of channelMeans) expect(value).toBeGreaterThan(100);
  }, 240_000);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addon } from '../../lib/native/loader.js';
import { decode } from '../../lib/proto/index.js';
import { classify } from '../../lib/quantize/index.js';
import { run } from './cli.js';
import { hasReference, reference } from './reference.js';

let folder: string;
let image: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'classify-'));
  if (!hasReference) return;
  const reader = new addon.LmdbReader(join(reference, 'data/imagenet/lmdb'));
  const [record] = await reader.read(0, 1);
  reader.close();
  image = join(folder, 'image.jpg');
  writeFileSync(image, decode('Datum', record.value).data);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = join(reference, 'data/squeezenet/deploy.prototxt');
const weights = join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel');

describe.skipIf(!hasReference)('classify', { timeout: 60_000 }, () => {
  it('gives the class of the first reference image, best first', async () => {
    const predictions = await classify({ model, weights, image, mean: [104, 117, 123], top: 3 });
    expect(predictions).toHaveLength(3);
    expect(predictions[0].index).toBe(0);
    expect(predictions[0].score).toBeGreaterThan(predictions[1].score);
  });

  it('prints classes by their names', async () => {
    const labels = join(folder, 'labels.txt');
    writeFileSync(labels, 'tench\ngoldfish\n');
    const flags = [`--model=${model}`, `--weights=${weights}`, `--labels=${labels}`, '--mean=104,117,123'];
    const { code, stdout, stderr } = await run('ristretto', ['classify', ...flags, image]);
    expect(stdout).toMatch(/^-+ Prediction for .*\n\d+\.\d{4} - "tench"\n/);
    expect(code).toBe(0);
    expect(stderr).toMatch(/labels\.txt has 2 names where the net has 1000 classes/);
    const bad = await run('ristretto', ['classify', ...flags, join(folder, 'absent.jpg')]);
    expect(bad.code).toBe(1);
    expect(bad.stderr).toMatch(/absent\.jpg/);
  });
});

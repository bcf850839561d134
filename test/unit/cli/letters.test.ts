// The committed weights of examples/letters belong to the images that are drawn today.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeGlyphs } from '../../../lib/data/index.js';
import { score } from '../../../lib/quantize/index.js';
import { Phase } from '../../../lib/proto/index.js';

const folder = mkdtempSync(join(tmpdir(), 'letters-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('the small SqueezeNet tells drawn letters apart', async () => {
  const data = join(folder, 'test_lmdb');
  await writeGlyphs({ out: data, set: 'test', count: 600 });
  const letters = resolve(import.meta.dirname, '../../../examples/letters');
  const result = await score({
    model: join(letters, 'train_val.prototxt'),
    weights: join(letters, 'letters.caffemodel'),
    iterations: 6,
    data,
    threads: 2,
    phase: Phase.TEST,
  });
  const names = result.outputs.map(({ name }) => name);
  // Chance is 1 in 12; on all 2,400 images it is 90.2 %.
  expect(result.means[names.indexOf('accuracy')]).toBeGreaterThan(0.87);
});

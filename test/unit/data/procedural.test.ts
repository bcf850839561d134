import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { glyphs, writeGlyphs } from '../../../lib/data/index.js';
import { renderGlyph } from '../../../lib/data/procedural/render-glyph.js';
import { LmdbReader } from '../../../lib/native/index.js';
import { decode } from '../../../lib/proto/index.js';

const folder = mkdtempSync(join(tmpdir(), 'procedural-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(name: string) {
  const reader = new LmdbReader(join(folder, name));
  const records = await reader.read(0, reader.entries);
  reader.close();
  return records.map(({ key, value }) => ({ key, datum: decode('Datum', value) }));
}

describe('drawn images', () => {
  it('make a database of Datums whose classes take turns', async () => {
    const told: number[] = [];
    await writeGlyphs({
      out: join(folder, 'a'),
      set: 'train',
      count: 30,
      onProgress: ({ done }) => told.push(done),
    });
    const records = await read('a');
    expect(records).toHaveLength(30);
    expect(told).toEqual([30]);
    for (const [i, { key, datum }] of records.entries()) {
      expect(key).toBe(`${String(i).padStart(8, '0')}_${glyphs[i % glyphs.length].name}`);
      expect(datum).toMatchObject({ channels: 3, height: 32, width: 32, label: i % glyphs.length });
      expect(datum.data).toHaveLength(3 * 32 * 32);
    }
  });

  it('depend on seed, set and place alone, and a larger set begins with the smaller one', async () => {
    for (const [out, set, count, seed] of [
      ['small', 'train', 13, 7],
      ['large', 'train', 300, 7],
      ['other', 'test', 13, 7],
      ['seeded', 'train', 13, 8],
    ] as const)
      await writeGlyphs({ out: join(folder, out), set, count, seed });
    const values = async (name: string) =>
      (await read(name)).slice(0, 13).map(({ datum }) => Buffer.from(datum.data).toString('hex'));
    const small = await values('small');
    expect(await values('large')).toEqual(small);
    for (const name of ['other', 'seeded'])
      for (const [i, image] of (await values(name)).entries()) expect(image).not.toBe(small[i]);
    expect(new Set(small).size).toBe(13);
  });

  it('differ from class to class in the strokes alone, which stand out', () => {
    // One seed and index draw the same background, light and noise whatever the class.
    const [e, f] = ['E', 'F'].map((name) => glyphs.findIndex((glyph) => glyph.name === name));
    for (let index = 0; index < 20; index++) {
      const [one, other] = [e, f].map((label) => renderGlyph(label, 1, 'train', index));
      const differing = [...one.keys()].filter((i) => one[i] !== other[i]).length;
      expect(differing).toBeGreaterThan(15);
      expect(differing).toBeLessThan(0.25 * one.length);
    }
  });

  it('leave nothing behind where something is amiss', async () => {
    const out = join(folder, 'none');
    await expect(writeGlyphs({ out, set: 'train', count: 0 })).rejects.toThrow(/count.*at least 1/);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(writeGlyphs({ out, set: 'train', count: 5, signal })).rejects.toThrow(/stopped/);
    await expect(writeGlyphs({ out: join(folder, 'a'), set: 'train', count: 5 })).rejects.toThrow(/exists/);
    await expect(read('none')).rejects.toThrow();
  });
});

import { UsageError } from '../../errors/index.js';
import { create, encode } from '../../proto/index.js';
import { writeDatabase } from '../write-database.js';
import { glyphs } from './glyphs.js';
import { GLYPH_IMAGE_SIZE, renderGlyph } from './render-glyph.js';

/** Images that are drawn and written at once. */
const PUT_RECORDS = 250;

export interface WriteGlyphsOptions {
  /** The LMDB to make; nothing may be there yet. */
  out: string;
  /** Sets of different names have different images: one to train on, one to measure on. */
  set: string;
  count: number;
  /** Default 1. */
  seed?: number;
  signal?: AbortSignal;
  onProgress?(progress: { done: number; total: number }): void;
}

/**
 * Makes a database of drawn images, 32 x 32 pixels in colour: something to train and to measure on that needs no
 * download. The classes take turns; each image depends on the seed, the set's name and its place alone, so a
 * larger set begins with the smaller one.
 */
export async function writeGlyphs({ out, set, count, seed = 1, signal, onProgress }: WriteGlyphsOptions) {
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`must be a whole number of at least 1, not ${count}`, { field: 'count' });
  const [height, width] = [GLYPH_IMAGE_SIZE, GLYPH_IMAGE_SIZE];
  await writeDatabase(out, 'lmdb', async (writer) => {
    for (let first = 0; first < count; first += PUT_RECORDS) {
      signal?.throwIfAborted();
      const records: [string, Uint8Array][] = [];
      for (let index = first; index < Math.min(count, first + PUT_RECORDS); index++) {
        const label = index % glyphs.length;
        const data = renderGlyph(label, seed, set, index);
        const datum = create('Datum', { channels: 3, height, width, data, label, encoded: false });
        records.push([`${String(index).padStart(8, '0')}_${glyphs[label].name}`, encode(datum)]);
      }
      await writer.put(records);
      onProgress?.({ done: first + records.length, total: count });
    }
  });
}

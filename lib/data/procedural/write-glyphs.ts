import { UsageError } from '../../errors/index.js';
import { create, encode } from '../../proto/index.js';
import {
  abortSignal,
  callback,
  checkOptions,
  path,
  required,
  seedNumber,
  text,
  whole,
  type OptionKinds,
} from '../../util/check-options.js';
import { withCallbacks } from '../../util/index.js';
import { writeDatabases } from '../write-database.js';
import { glyphs } from './glyphs.js';
import { GLYPH_IMAGE_SIZE, renderGlyph } from './render-glyph.js';

/** Images that are drawn and written at once. */
const PUT_RECORDS = 250;

/** One database of drawn images. */
export interface GlyphSet {
  /** The LMDB to make; nothing may be there yet. */
  out: string;
  /** Sets of different names have different images: one to train on, one to measure on. */
  set: string;
  count: number;
}

interface DrawOptions {
  /** Default 1. */
  seed?: number;
  signal?: AbortSignal;
  /** `set` is the name of the set that is drawn. */
  onProgress?(progress: { done: number; total: number; set: string }): void;
}

export interface WriteGlyphsOptions extends GlyphSet, DrawOptions {}

const optionKinds: OptionKinds<WriteGlyphsOptions> = {
  out: required(path),
  set: required(text),
  count: required(whole(1)),
  seed: seedNumber,
  signal: abortSignal,
  onProgress: callback,
};

/**
 * Makes a database of drawn images, 32 x 32 pixels in colour: something to train and to measure on that needs no
 * download. The classes take turns; each image depends on the seed, the set's name and its place alone, so a
 * larger set begins with the smaller one.
 */
export async function writeGlyphs(given: WriteGlyphsOptions): Promise<void> {
  checkOptions('writeGlyphs', given, optionKinds);
  const { out, set, count, ...options } = given;
  await withCallbacks(options, (each) => writeGlyphSets([{ out, set, count }], each));
}

/** Makes several such databases, which appear under their names when all of them are done. */
export async function writeGlyphSets(
  sets: readonly GlyphSet[],
  { seed = 1, signal, onProgress }: DrawOptions,
): Promise<void> {
  for (const { count } of sets)
    if (!Number.isInteger(count) || count < 1)
      throw new UsageError(`must be a whole number of at least 1, not ${count}`, { field: 'count' });
  const [height, width] = [GLYPH_IMAGE_SIZE, GLYPH_IMAGE_SIZE];
  const outs = sets.map(({ out }) => out);
  await writeDatabases(outs, 'lmdb', async (writers) => {
    for (const [i, { set, count }] of sets.entries())
      for (let first = 0; first < count; first += PUT_RECORDS) {
        signal?.throwIfAborted();
        const records: [string, Uint8Array][] = [];
        for (let index = first; index < Math.min(count, first + PUT_RECORDS); index++) {
          const label = index % glyphs.length;
          const data = renderGlyph(label, seed, set, index);
          const datum = create('Datum', { channels: 3, height, width, data, label, encoded: false });
          records.push([`${String(index).padStart(8, '0')}_${glyphs[label].name}`, encode(datum)]);
        }
        await writers[i].put(records);
        onProgress?.({ done: first + records.length, total: count, set });
      }
  });
}

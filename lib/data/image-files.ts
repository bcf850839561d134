import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DataError } from '../errors/index.js';
import type { LayerContext } from '../graph/layer.js';
import { convertImage } from '../native/index.js';
import { permutation, RandomWords } from '../util/philox.js';
import { decodeImage, type ColorMode } from './decode-image.js';
import { RecordError, type DecodedRecord, type RecordSource } from './record.js';

/** An image file and its label; `name` is what the list calls it. */
export interface ImageEntry {
  name: string;
  path: string;
  label: number;
}

/** Whole number at the start of a text, as C's atoi reads it: 0 where there is none. */
function leadingInteger(text: string): number {
  const match = /^\s*[+-]?\d+/.exec(text);
  return match ? Number(match[0]) : 0;
}

/** Splits `path label` lines at their last blank, as Caffe does: paths may hold blanks. Empty lines are left out. */
export function parseImageList(text: string): { name: string; label: number }[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const blank = line.lastIndexOf(' ');
      return { name: blank < 0 ? line : line.slice(0, blank), label: leadingInteger(line.slice(blank + 1)) };
    });
}

/** Reads an ImageData list; `rootFolder` is put before each path as it stands, as Caffe does. */
export async function readImageList(
  file: string,
  options: { rootFolder: string; layer?: string; context?: Pick<LayerContext, 'baseFolder'> },
): Promise<ImageEntry[]> {
  const { rootFolder, layer, context } = options;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new DataError(`cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      file,
      layer,
      cause: error,
    });
  }
  const base = context?.baseFolder ?? '.';
  const entries = parseImageList(text).map(({ name, label }) => ({
    name,
    label,
    path: resolve(base, rootFolder + name),
  }));
  if (entries.length === 0) throw new DataError('lists no images', { file, layer });
  return entries;
}

export interface ImageFilesOptions {
  /** The list or folder, for messages. */
  place: string;
  layer?: string;
  mode: ColorMode;
  /** Size that images are brought to; 0: as they are. */
  height: number;
  width: number;
  /** Every pass in an order of its own. */
  shuffle: boolean;
  seed: number;
}

/** Image files as records. Their index is their place in the list, whatever the order of the passes. */
export class ImageFiles implements RecordSource {
  readonly place: string;
  readonly identity: string;
  readonly count: number;
  #order: { pass: number; indices: Uint32Array } | null = null;

  constructor(
    readonly entries: readonly ImageEntry[],
    readonly options: ImageFilesOptions,
  ) {
    const { place, mode, height, width } = options;
    this.place = place;
    this.count = entries.length;
    // The list may differ between two readings of one path: the entries themselves belong to the name.
    const names = entries.map(({ path, label }) => `${path} ${label}`).join('\n');
    this.identity = `images:${mode}:${height}x${width}:${place}:${hash(names)}`;
  }

  indexOf(ordinal: number): number {
    const place = ordinal % this.count;
    if (!this.options.shuffle) return place;
    const pass = Math.floor(ordinal / this.count);
    if (this.#order?.pass !== pass)
      this.#order = {
        pass,
        indices: permutation(
          this.count,
          new RandomWords(this.options.seed, `${this.options.layer ?? ''}/shuffle`, pass),
        ),
      };
    return this.#order.indices[place];
  }

  async load(index: number): Promise<DecodedRecord> {
    const { name, path, label } = this.entries[index];
    const { mode, height, width, layer } = this.options;
    try {
      let image = await decodeImage(await readFile(path), mode);
      if (height > 0 && (image.height !== height || image.width !== width))
        image = await convertImage(image, { height, width });
      return { key: name, ...image, layout: 'interleavedSwapped', label, decoded: true };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason = code ? `${path} cannot be read (${code})` : (error as Error).message;
      throw new RecordError(name, reason, { file: this.place, layer, cause: error });
    }
  }

  close(): void {}
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

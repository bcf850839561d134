import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { convertImage } from '../native/index.js';
import { unreadable } from '../util/index.js';
import { permutation, RandomWords } from '../util/philox.js';
import { decodeImage, type ColorMode } from './decode-image.js';
import { RecordError, type DecodedRecord, type RecordSource } from './record.js';

/** An image file and its label; `name` is what the list calls it. */
export interface ImageEntry {
  name: string;
  path: string;
  label: number;
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
      const reason = code ? `${path} ${unreadable(code)}` : (error as Error).message;
      throw new RecordError(name, reason, { file: this.place, layer, cause: error });
    }
  }

  close(): void {}
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

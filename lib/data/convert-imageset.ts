import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DataError, MachineError, shortageOf, UsageError } from '../errors/index.js';
import { convertImage, type PixelImage } from '../native/index.js';
import { create, encode } from '../proto/index.js';
import {
  abortSignal,
  callback,
  checkOptions,
  finite,
  flag,
  path,
  required,
  seedNumber,
  text,
  type OptionKinds,
} from '../util/check-options.js';
import { unreadable, withCallbacks } from '../util/index.js';
import { permutation, RandomWords } from '../util/philox.js';
import { decodeImage, encodeImage, encodeTypes, endingOf, isEncodeType, isOfType } from './decode-image.js';
import type { ImageEntry } from './image-files.js';
import { readImageList } from './image-list.js';
import { inOrder } from './in-order.js';
import { assertNewDatabase, writeDatabase, type Backend } from './write-database.js';

export interface ConvertImagesetOptions {
  /** Folder that the list's paths start from. */
  root: string;
  /** File with one `path label` a line. */
  list: string;
  /** The database to make; nothing may be there yet. */
  out: string;
  /** Default 'lmdb'. */
  backend?: Backend;
  /** One channel instead of three. */
  gray?: boolean;
  shuffle?: boolean;
  /** Of `shuffle`. Default 0. */
  seed?: number;
  /** Size in pixels that images are brought to; both or neither. 0: as they are. */
  resizeHeight?: number;
  resizeWidth?: number;
  /**
   * Keep images encoded: the file's own bytes where they are not resized. As in Caffe that is also so with `gray`:
   * whoever reads them decides (`force_gray`).
   */
  encoded?: boolean;
  /** Encode as a type of `encodeTypes`, which implies `encoded`; what the file itself is where unset. */
  encodeType?: string;
  /** Images of different sizes are an error. */
  checkSize?: boolean;
  signal?: AbortSignal;
  /** Called once, with the number of images that the list names. */
  onStart?(total: number): void;
  onProgress?(progress: { done: number; stored: number; total: number }): void;
  /** Called for each image that cannot be read; it is left out, its number too. */
  onSkip?(skipped: SkippedImage): void;
  /** Called at the end where no image of some labels can be read, with these labels in ascending order. */
  onEmptyLabels?(labels: readonly number[]): void;
}

export interface SkippedImage {
  /** As the list names it. */
  name: string;
  reason: string;
}

export interface ConvertImagesetResult {
  /** Images that the list names. */
  total: number;
  stored: number;
  skipped: number;
}

/** Bounds of one transaction. */
const MAX_PUT_RECORDS = 1000;
const MAX_PUT_BYTES = 32 * 2 ** 20;

interface Converted {
  name: string;
  key: string;
  label: number;
  /** The Datum; null where the image was left out. */
  value: Uint8Array | null;
  reason: string;
  height: number;
  width: number;
}

/** Interleaved RGB or gray to what a raw Datum holds: planes of blue, green, red, or the one plane. */
function toPlanes({ data, height, width, channels }: PixelImage): Uint8Array {
  if (channels === 1) return data;
  const plane = height * width;
  const planes = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++) {
    const from = channels - 1 - c;
    for (let i = 0; i < plane; i++) planes[c * plane + i] = data[i * channels + from];
  }
  return planes;
}

/** Reads one image and makes its Datum. Throws DataError where the image cannot be used. */
async function convert(path: string, label: number, options: ConvertImagesetOptions) {
  const { gray, resizeHeight: height = 0, resizeWidth: width = 0 } = options;
  let file: Uint8Array;
  try {
    file = await readFile(path);
  } catch (error) {
    if (shortageOf(error)) throw error;
    throw new DataError(unreadable((error as NodeJS.ErrnoException).code), { cause: error });
  }
  let image = await decodeImage(file, gray ? 'gray' : 'color');
  if (height > 0 && (image.height !== height || image.width !== width))
    image = await convertImage(image, { height, width });
  const size = { height: image.height, width: image.width };
  // What an image is, its bytes say: its name may have no ending, or another one.
  const type = options.encodeType || (options.encoded ? endingOf(file) : '');
  if (type) {
    // An encoded Datum leaves its own dimensions unset: they are in the image.
    const data = height === 0 && isOfType(file, type) ? file : await encodeImage(image, type);
    return { ...size, value: encode(create('Datum', { data, label, encoded: true })) };
  }
  const { channels } = image;
  const datum = create('Datum', { channels, ...size, data: toPlanes(image), label, encoded: false });
  return { ...size, value: encode(datum) };
}

const optionKinds: OptionKinds<ConvertImagesetOptions> = {
  root: required(text),
  list: required(path),
  out: required(path),
  backend: text,
  gray: flag,
  shuffle: flag,
  seed: seedNumber,
  resizeHeight: finite,
  resizeWidth: finite,
  encoded: flag,
  encodeType: text,
  checkSize: flag,
  signal: abortSignal,
  onStart: callback,
  onProgress: callback,
  onSkip: callback,
  onEmptyLabels: callback,
};

function check(options: ConvertImagesetOptions): void {
  checkOptions('convertImageset', options, optionKinds);
  const { resizeHeight: height = 0, resizeWidth: width = 0, encodeType, backend = 'lmdb' } = options;
  for (const [field, value] of Object.entries({ resize_height: height, resize_width: width }))
    if (!Number.isInteger(value) || value < 0 || value > 65535)
      throw new UsageError(`must be a whole number from 0 to 65535, not ${value}`, { field });
  if (height > 0 !== width > 0)
    throw new UsageError('is given without the other: an image is resized to a height and a width', {
      field: height > 0 ? 'resize_height' : 'resize_width',
    });
  if (encodeType && !isEncodeType(encodeType))
    throw new UsageError(`'${encodeType}' is not known; known are ${encodeTypes.join(', ')}`, {
      field: 'encode_type',
    });
  if (backend !== 'lmdb' && backend !== 'leveldb')
    throw new UsageError(`'${String(backend)}' is not known; known are lmdb and leveldb`, {
      field: 'backend',
    });
}

/**
 * Makes a database of Datums from a list of image files, as Caffe's convert_imageset does: keys are the place in
 * the list, eight digits, and the path; pixels are BGR planes. Images that cannot be read are left out; it is an
 * error where none can. The database appears under its name when it is complete.
 */
export async function convertImageset(options: ConvertImagesetOptions): Promise<ConvertImagesetResult> {
  check(options);
  return withCallbacks(options, convertList);
}

async function convertList(options: ConvertImagesetOptions): Promise<ConvertImagesetResult> {
  const { list, out, backend = 'lmdb', shuffle, seed = 0, checkSize, signal } = options;
  assertNewDatabase(out);
  const root = /^$|\/$/.test(options.root) ? options.root : `${options.root}/`;
  const listed = readImageList(resolve(list), { rootFolder: root });
  const entries: ImageEntry[] = shuffle
    ? Array.from(permutation(listed.length, new RandomWords(seed, 'convert_imageset')), (i) => listed[i])
    : listed;
  const total = entries.length;
  options.onStart?.(total);

  const work = async (index: number): Promise<Converted> => {
    const { name, path, label } = entries[index];
    const key = `${String(index).padStart(8, '0')}_${name}`;
    try {
      return { name, key, label, reason: '', ...(await convert(path, label, options)) };
    } catch (error) {
      // An image that the machine has no memory or threads for is not left out: it may be well.
      const shortage = shortageOf(error);
      if (shortage) throw new MachineError(shortage, { file: path, cause: error });
      if (!(error instanceof DataError)) throw error;
      return { name, key, label, reason: error.reason, value: null, height: 0, width: 0 };
    }
  };

  return writeDatabase(out, backend, async (writer) => {
    let [done, stored, bytes] = [0, 0, 0];
    const storedLabels = new Set<number>();
    let first: Converted | null = null;
    let firstSkipped: SkippedImage | null = null;
    let batch: [string, Uint8Array][] = [];
    const flush = async () => {
      if (batch.length > 0) await writer.put(batch);
      batch = [];
      bytes = 0;
    };
    for await (const image of inOrder(total, work, signal)) {
      done++;
      if (!image.value) {
        const skipped = { name: image.name, reason: image.reason };
        firstSkipped ??= skipped;
        options.onSkip?.(skipped);
      } else {
        first ??= image;
        if (checkSize && (image.height !== first.height || image.width !== first.width))
          throw new DataError(
            `'${image.name}' has ${image.height} x ${image.width} pixels, '${first.name}' ${first.height} x ${first.width}`,
            { file: list, field: 'check_size' },
          );
        batch.push([image.key, image.value]);
        bytes += image.value.length;
        stored++;
        storedLabels.add(image.label);
        if (batch.length === MAX_PUT_RECORDS || bytes >= MAX_PUT_BYTES) await flush();
      }
      options.onProgress?.({ done, stored, total });
    }
    if (stored === 0)
      throw new DataError(
        `none of the ${total} images can be used; the first, '${firstSkipped?.name}': ${firstSkipped?.reason}`,
        { file: list },
      );
    await flush();
    const labels = new Set(entries.map(({ label }) => label));
    const empty = [...labels].filter((label) => !storedLabels.has(label)).sort((a, b) => a - b);
    if (empty.length > 0) options.onEmptyLabels?.(empty);
    return { total, stored, skipped: done - stored };
  });
}

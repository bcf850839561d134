import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type * as H5wasm from 'h5wasm/node';
import type { Dataset, File as Hdf5File, Group } from 'h5wasm/node';
import { FormatError, RistrettoError } from '../errors/index.js';
import { halfToFloat } from './half.js';
import { unreadable } from './text-file.js';

export type { Dataset, Group, Hdf5File };

const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/** Deflate's best: no dataset whose chunks are all there is this many times larger than its file. */
const maxExpansion = 1032;

/** The filters that HDF5 has in itself: deflate, shuffle, Fletcher32, szip, n-bit, scale-offset. */
const knownFilters = new Set([1, 2, 3, 4, 5, 6]);

const nBitFilter = 5;

/** HDF5 classes of datatypes by their number, as far as people meet them. */
const classNames: Readonly<Record<number, string>> = {
  3: 'texts',
  4: 'bit fields',
  5: 'opaque values',
  6: 'compound values',
  7: 'references',
  8: 'an enumeration (h5py stores booleans as one)',
  9: 'lists of varying length',
  10: 'arrays',
};

/** Bytes that are read at once. */
const slabBytes = 16 * 2 ** 20;

/** A compressed chunk is read as a whole, so more is read at once where chunks are larger; up to so many bytes. */
const largestSlabBytes = 256 * 2 ** 20;

let library: Promise<typeof H5wasm> | undefined;
/** Set as soon as a file is open. */
let wasm!: typeof H5wasm.Module;

/** The library is a large WebAssembly module: loaded when the first HDF5 file is touched. */
function load(): Promise<typeof H5wasm> {
  library ??= import('h5wasm/node').then(async (h5wasm) => {
    const module = await h5wasm.ready;
    // Otherwise it prints its errors and carries on with invalid handles.
    module.activate_throwing_error_handler();
    wasm = module;
    return h5wasm;
  });
  return library;
}

/** The innermost reason in the library's trace of several lines. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const frames = [...text.matchAll(/in \w+\(\): (.*)/g)];
  return frames.length > 0 ? frames.at(-1)![1]! : text.split('\n')[0]!;
}

/**
 * Whether a file starts as an HDF5 file does, at once or behind a block of the user's, as MATLAB's have one. A file
 * that cannot be read does not.
 */
export function isHdf5File(path: string): boolean {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const head = Buffer.alloc(signature.length);
      // A pipe has no places to read from.
      const size = fstatSync(descriptor).size;
      for (let offset = 0; offset + head.length <= size; offset = offset ? 2 * offset : 512)
        if (readSync(descriptor, head, 0, head.length, offset) === head.length && head.equals(signature))
          return true;
      return false;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

/** Opens an HDF5 file for reading ('r') or anew for writing ('w'), hands it to `use`, and closes it. */
export async function withHdf5File<T>(path: string, mode: 'r' | 'w', use: (file: Hdf5File) => T): Promise<T> {
  if (mode === 'r') {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat || stat.isDirectory())
      throw new FormatError(unreadable(stat ? 'EISDIR' : 'ENOENT'), { file: path });
    if (!isHdf5File(path)) throw new FormatError('is not an HDF5 file', { file: path, offset: 0 });
  }
  const h5wasm = await load();
  let file: Hdf5File | undefined;
  try {
    file = new h5wasm.File(path, mode);
    return use(file);
  } catch (error) {
    if (error instanceof RistrettoError) throw error;
    const what = mode === 'r' ? 'cannot be read as HDF5' : 'cannot be written as HDF5';
    throw new FormatError(`${what}: ${reasonOf(error)}`, { file: path, cause: error });
  } finally {
    try {
      file?.close();
    } catch {
      // The error that matters is the one on its way already.
    }
  }
}

/** Whether an entry of a group is a group (true) or a dataset (false); null for links that lead nowhere. */
export function entryKind(entry: unknown): 'group' | 'dataset' | null {
  const type = (entry as { type?: string } | null)?.type;
  return type === 'Group' ? 'group' : type === 'Dataset' ? 'dataset' : null;
}

/**
 * Throws where a dataset cannot be read truly: a filter that is not there makes the library give wrong numbers without
 * a word, and so does a source of a virtual dataset.
 */
export function assertReadable(file: Hdf5File, name: string, dataset: Dataset): void {
  const fail = (message: string): never => {
    throw new FormatError(message, { file: file.filename, field: name });
  };
  const { size } = dataset.metadata;
  for (const { id, name: filter, cd_values: parameters } of dataset.filters) {
    if (!knownFilters.has(id))
      fail(
        `is stored with the filter ${filter || 'unknown'} (${id}), which is not read; store it with gzip or none`,
      );
    // Of numbers with fewer bits than their bytes have, the library gives the bits as they are.
    const bits = id === nBitFilter && parameters[3] === 1 ? parameters[6]! : 8 * size;
    if (bits < 8 * size)
      fail(`holds numbers of ${bits} bits in ${size} bytes, which are not read; store them as float32`);
  }
  if (dataset.metadata.virtual_sources)
    fail('is a virtual dataset, whose numbers lie in other files; copy them into one');
}

/** Bytes of native memory as float32: the numbers of one of the types below. */
type Convert = (memory: ArrayBuffer, offset: number, count: number) => ArrayLike<number>;

const bigints =
  (Type: typeof BigInt64Array | typeof BigUint64Array): Convert =>
  (memory, offset, count) =>
    Float32Array.from(new Type(memory, offset, count) as unknown as ArrayLike<bigint>, Number);

/** By class of datatype ('i' signed integers, 'u' unsigned ones, 'f' floats) and bytes. */
const converters: Readonly<Record<string, Convert>> = {
  i1: (memory, offset, count) => new Int8Array(memory, offset, count),
  u1: (memory, offset, count) => new Uint8Array(memory, offset, count),
  i2: (memory, offset, count) => new Int16Array(memory, offset, count),
  u2: (memory, offset, count) => new Uint16Array(memory, offset, count),
  i4: (memory, offset, count) => new Int32Array(memory, offset, count),
  u4: (memory, offset, count) => new Uint32Array(memory, offset, count),
  i8: bigints(BigInt64Array),
  u8: bigints(BigUint64Array),
  f2: (memory, offset, count) => Float32Array.from(new Uint16Array(memory, offset, count), halfToFloat),
  f4: (memory, offset, count) => new Float32Array(memory, offset, count),
  f8: (memory, offset, count) => new Float64Array(memory, offset, count),
};

const product = (dims: readonly number[]): number => dims.reduce((all, dim) => all * dim, 1);

/** A box of a dataset: where it starts and how far it goes, by dimension. */
interface Slab {
  offset: number[];
  count: number[];
}

/** Cuts rows [first, first + rows) into boxes that follow each other in memory, of `most` numbers where that can be. */
function* slabsOf(
  shape: readonly number[],
  first: number,
  rows: number,
  most: number,
  leading: readonly number[] = [],
): Generator<Slab> {
  const axis = leading.length;
  const inner = shape.slice(axis + 1);
  const ones = leading.map(() => 1);
  const size = product(inner);
  if (size > most && inner.length > 0) {
    for (let i = first; i < first + rows; i++) yield* slabsOf(shape, 0, inner[0]!, most, [...leading, i]);
    return;
  }
  const step = Math.max(1, Math.floor(most / Math.max(1, size)));
  for (let i = first; i < first + rows; i += step)
    yield {
      offset: [...leading, i, ...inner.map(() => 0)],
      count: [...ones, Math.min(step, first + rows - i), ...inner],
    };
}

/** A dataset of numbers, of any type, whose rows are read as float32. */
export class NumbersDataset {
  readonly #convert: Convert;

  private constructor(
    private readonly file: Hdf5File,
    private readonly path: string,
    private readonly dataset: Dataset,
    /** Empty for a single number. */
    readonly shape: readonly number[],
  ) {
    const { type, signed, size } = dataset.metadata;
    const kind = `${type === 1 ? 'f' : signed ? 'i' : 'u'}${size}`;
    if (!(kind in converters))
      throw new FormatError(
        `${type === 1 ? 'floats' : 'integers'} of ${8 * size} bits are not read; store them as float32`,
        { file: file.filename, field: path },
      );
    this.#convert = converters[kind]!;
  }

  /** Finds a dataset that can be read; its numbers are not read yet. */
  static open(file: Hdf5File, name: string): NumbersDataset {
    const place = { file: file.filename, field: name };
    const entry = file.keys().includes(name.split('/')[0]!) ? file.get(name) : null;
    if (entryKind(entry) !== 'dataset') throw new FormatError('no such dataset', place);
    const dataset = entry as Dataset;
    const { metadata } = dataset;
    if (metadata.type !== 0 && metadata.type !== 1) {
      const what = classNames[metadata.type];
      throw new FormatError(`does not hold numbers${what ? ` but ${what}` : ''}`, place);
    }
    if (!metadata.shape) throw new FormatError('is empty: it has no shape', place);
    assertReadable(file, name, dataset);
    const found = new NumbersDataset(file, name, dataset, metadata.shape.map(Number));
    // Chunks that were never written take no room in the file, so those are only held against it when all are read.
    if (!metadata.chunks) found.#assertFits(1);
    return found;
  }

  /** Throws where the file would have to be this many times as large as it is. */
  #assertFits(expansion: number): void {
    const { shape } = this;
    const bytes = product(shape) * this.dataset.metadata.size;
    if (!(bytes <= expansion * statSync(this.file.filename).size))
      throw new FormatError(`shape [${shape.join(', ')}] is more than the file can hold`, {
        file: this.file.filename,
        field: this.path,
      });
  }

  /** Numbers in a row. */
  get rowSize(): number {
    return product(this.shape.slice(1));
  }

  /** Reads rows, a few megabytes at a time, to `target` from `at` on. */
  read(first: number, rows: number, target: Float32Array, at = 0): void {
    if (rows * this.rowSize === 0) return;
    const { chunks, size } = this.dataset.metadata;
    let bytes = slabBytes;
    if (chunks) {
      // Whole chunks, for a chunk that is read in parts is decompressed for each of them.
      const band = Number(chunks[0]) * this.rowSize * size;
      bytes = Math.min(largestSlabBytes, band * Math.max(1, Math.floor(slabBytes / Math.max(1, band))));
    }
    for (const { offset, count } of slabsOf(this.shape, first, rows, Math.max(1, Math.floor(bytes / size)))) {
      this.#readSlab(offset, count, product(count), target, at);
      at += product(count);
    }
  }

  /** All its numbers. */
  readAll(): Float32Array {
    this.#assertFits(maxExpansion);
    const target = new Float32Array(product(this.shape));
    if (this.shape.length === 0) this.#readSlab(null, null, 1, target, 0);
    else this.read(0, this.shape[0]!, target);
    return target;
  }

  #readSlab(
    offset: readonly number[] | null,
    count: readonly number[] | null,
    numbers: number,
    target: Float32Array,
    at: number,
  ): void {
    const big = (values: readonly number[] | null) => values && values.map(BigInt);
    const place = { file: this.file.filename, field: this.path };
    const memory = wasm._malloc(numbers * this.dataset.metadata.size);
    if (memory === 0) throw new FormatError(`no memory to read ${numbers} numbers at once`, place);
    try {
      const strides = count && count.map(() => 1n);
      const status = wasm.get_dataset_data(
        this.file.file_id,
        this.path,
        big(count),
        big(offset),
        strides,
        BigInt(memory),
      );
      if (status < 0) throw new FormatError('cannot be read', place);
      // The heap may have moved while it was read.
      target.set(this.#convert(wasm.HEAPU8.buffer as ArrayBuffer, memory, numbers), at);
    } finally {
      wasm._free(memory);
    }
  }
}

/** A dataset of numbers of any type and its shape; the numbers as float32. */
export function readNumbers(file: Hdf5File, name: string): { shape: number[]; data: Float32Array } {
  const dataset = NumbersDataset.open(file, name);
  return { shape: [...dataset.shape], data: dataset.readAll() };
}

/** A single whole number, as scalar or as the only element of an array. */
export function readInteger(file: Hdf5File, name: string): number {
  const place = { file: file.filename, field: name };
  const dataset = NumbersDataset.open(file, name);
  // Float32 would round it.
  const value: unknown = product(dataset.shape) === 1 ? (file.get(name) as Dataset).value : undefined;
  const number = Number(
    ArrayBuffer.isView(value) ? (value as unknown as ArrayLike<number | bigint>)[0] : value,
  );
  if (!Number.isSafeInteger(number)) throw new FormatError('a single whole number expected', place);
  return number;
}

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type * as H5wasm from 'h5wasm/node';
import type { Dataset, File as Hdf5File, Group } from 'h5wasm/node';
import { FormatError, isError, RistrettoError } from '../errors/index.js';
import { isTypedArray } from './typed-array.js';

export type { Dataset, Group, Hdf5File };

const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/** Deflate's best: no dataset can be this many times larger than its file. */
const maxExpansion = 1032;

/** HDF5 classes of datatypes that hold numbers. */
const numberClasses = new Set([0, 1]);

let library: Promise<typeof H5wasm> | undefined;

/** The library is a large WebAssembly module: loaded when the first HDF5 file is touched. */
function load(): Promise<typeof H5wasm> {
  library ??= import('h5wasm/node').then(async (h5wasm) => {
    const module = await h5wasm.ready;
    // Otherwise it prints its errors and carries on with invalid handles.
    module.activate_throwing_error_handler();
    return h5wasm;
  });
  return library;
}

/** The innermost reason in the library's trace of several lines. */
function reasonOf(error: unknown): string {
  const text = isError(error) ? error.message : String(error);
  const frames = [...text.matchAll(/in \w+\(\): (.*)/g)];
  return frames.length > 0 ? frames.at(-1)![1]! : text.split('\n')[0]!;
}

/** Whether a file starts as an HDF5 file does. A file that cannot be read does not. */
export function isHdf5File(path: string): boolean {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const head = Buffer.alloc(signature.length);
      return readSync(descriptor, head, 0, head.length, 0) === head.length && head.equals(signature);
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
    if (!stat) throw new FormatError('cannot be opened (ENOENT)', { file: path });
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

/** A dataset of numbers that is there and no larger than its file can be; its values are not read. */
function findNumbers(file: Hdf5File, name: string): { shape: number[]; dataset: Dataset } {
  const place = { file: file.filename, field: name };
  const entry = file.keys().includes(name.split('/')[0]!) ? file.get(name) : null;
  if (entryKind(entry) !== 'dataset') throw new FormatError('no such dataset', place);
  const dataset = entry as Dataset;
  const { metadata } = dataset;
  if (!numberClasses.has(metadata.type)) throw new FormatError('does not hold numbers', place);
  const shape = (metadata.shape ?? []).map(Number);
  const bytes = shape.reduce((product, dim) => product * dim, metadata.size);
  const fileBytes = statSync(file.filename).size;
  if (!(bytes <= (metadata.chunks ? fileBytes * maxExpansion : fileBytes))) {
    throw new FormatError(`shape [${shape.join(', ')}] is more than the file can hold`, place);
  }
  return { shape, dataset };
}

function readRaw(file: Hdf5File, name: string): { shape: number[]; value: unknown } {
  const { shape, dataset } = findNumbers(file, name);
  return { shape, value: dataset.value };
}

/** The shape of a dataset of numbers, without reading them. */
export function readShape(file: Hdf5File, name: string): number[] {
  return findNumbers(file, name).shape;
}

/** A dataset of numbers of any type and its shape; the numbers as float32. */
export function readNumbers(file: Hdf5File, name: string): { shape: number[]; data: Float32Array } {
  const { shape, value } = readRaw(file, name);
  if (isTypedArray(value, Float32Array)) return { shape, data: value };
  const list = ArrayBuffer.isView(value)
    ? (value as unknown as ArrayLike<number | bigint>)
    : [value as number];
  return { shape, data: Float32Array.from(list, Number) };
}

/** A single whole number, as scalar or as the only element of an array. */
export function readInteger(file: Hdf5File, name: string): number {
  const { value } = readRaw(file, name);
  const list = ArrayBuffer.isView(value)
    ? (value as unknown as ArrayLike<number | bigint>)
    : [value as number];
  const number = Number(list[0]);
  if (list.length !== 1 || !Number.isSafeInteger(number)) {
    throw new FormatError('a single whole number expected', { file: file.filename, field: name });
  }
  return number;
}

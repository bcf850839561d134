import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Blob } from '../blob/index.js';
import { DataError, RistrettoError } from '../errors/index.js';
import { Layer, type BlobCount, type LayerCheckpoint } from '../graph/layer.js';
import { countIn } from '../layers/checkpoint.js';
import type { NativeStream } from '../native/index.js';
import { create, type HDF5DataParameter } from '../proto/index.js';
import { isHdf5File, readNumbers, readShape, withHdf5File, type Hdf5File } from '../util/index.js';
import { permutation, RandomWords } from '../util/philox.js';
import type { Rewindable } from './record-layer.js';

interface LoadedFile {
  path: string;
  /** Pass over all files in which it was loaded: decides the order of its rows. */
  pass: number;
  rows: number;
  /** One array per top. */
  data: Float32Array[];
  /** The order in which rows are served. */
  order: Uint32Array | null;
}

/**
 * Rows of HDF5 datasets named like the tops, from a list of files. Every file has all datasets, with as many
 * rows each. `shuffle` changes the order of the files and of the rows in each, anew in every pass. One file is
 * held in memory at a time.
 */
export class HDF5Data extends Layer implements Rewindable {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { min: 1 };
  #files: { path: string; rows: number }[] = [];
  /** Dimensions of a row, one list per top. */
  #rowShapes: number[][] = [];
  #rowsPerPass = 0;
  #position = 0;
  #loaded: LoadedFile | null = null;
  #fileOrder: { pass: number; order: readonly number[] } | null = null;

  /** Ordinal of the row that the next pass of the net starts with, counted over all passes. */
  get position(): number {
    return this.#position;
  }
  /** Rows are numbers already: none can be bad alone. */
  readonly skipped = 0;
  readonly skippedKeys: readonly string[] = [];

  /** Rows in one pass over all files. */
  get recordCount(): number {
    return this.#rowsPerPass;
  }

  seek(ordinal: number): void {
    this.#position = ordinal;
  }

  rewind(): void {
    this.seek(0);
  }

  override checkpoint(): LayerCheckpoint {
    return { position: this.#position };
  }

  override restore(checkpoint: LayerCheckpoint): void {
    this.seek(countIn(this, checkpoint, 'position'));
  }

  get #hdf5(): HDF5DataParameter {
    return this.param.hdf5_data_param ?? create('HDF5DataParameter');
  }

  /** Reads the list and looks into every file, so that a bad one is told now and not in hours. */
  override async setup(_bottom: readonly Blob[], top: readonly Blob[]): Promise<void> {
    if (this.param.transform_param) this.fail('HDF5 data is not transformed', 'transform_param');
    if (this.#hdf5.batch_size < 1)
      this.fail(`must be given and positive, not ${this.#hdf5.batch_size}`, 'hdf5_data_param.batch_size');
    for (const path of this.#listFiles()) {
      this.context.signal?.throwIfAborted();
      const shapes = await this.#open(path, readShape);
      const rows = this.#checkShapes(path, shapes);
      this.#files.push({ path, rows });
      this.#rowsPerPass += rows;
    }
    for (const [i, blob] of top.entries()) blob.reshape([this.#hdf5.batch_size, ...this.#rowShapes[i]]);
  }

  /** The source is a list of HDF5 files, or one HDF5 file itself. */
  #listFiles(): string[] {
    const { baseFolder = '.', dataSource } = this.context;
    const given = dataSource ?? this.#hdf5.source;
    if (!given) this.fail('no list of HDF5 files given', 'hdf5_data_param.source');
    const source = dataSource ? resolve(dataSource) : resolve(baseFolder, given);
    if (isHdf5File(source)) return [source];
    const place = { file: source, layer: this.name, field: 'hdf5_data_param.source' };
    let text: string;
    try {
      text = readFileSync(source, 'utf8');
    } catch (error) {
      throw new DataError(`the list cannot be read (${(error as NodeJS.ErrnoException).code})`, {
        ...place,
        cause: error,
      });
    }
    const names = text.split(/\s+/).filter(Boolean);
    if (names.length === 0) throw new DataError('lists no HDF5 file', place);
    return names.map((name) => resolve(baseFolder, name));
  }

  /** Reads something of each top's dataset. */
  async #open<T>(path: string, read: (file: Hdf5File, name: string) => T): Promise<T[]> {
    try {
      return await withHdf5File(path, 'r', (file) => this.param.top.map((name) => read(file, name)));
    } catch (error) {
      if (!(error instanceof RistrettoError)) throw error;
      throw new DataError(error.reason, { file: path, layer: this.name, field: error.field, cause: error });
    }
  }

  /** Holds a file's datasets against each other and against the first file's; returns their rows. */
  #checkShapes(path: string, shapes: readonly number[][]): number {
    const text = (shape: readonly number[]) => `(${shape.join(', ')})`;
    const [first] = this.param.top;
    for (const [i, shape] of shapes.entries()) {
      const place = { file: path, layer: this.name, field: this.param.top[i] };
      if (shape.length === 0) throw new DataError('is a single number; a dataset of rows is needed', place);
      if (shape[0] === 0) throw new DataError('has no rows', place);
      if (shape[0] !== shapes[0][0])
        throw new DataError(`has ${shape[0]} rows, '${first}' has ${shapes[0][0]}`, place);
      const row = shape.slice(1);
      const known = (this.#rowShapes[i] ??= row);
      if (row.length !== known.length || row.some((dim, axis) => dim !== known[axis]))
        throw new DataError(
          `rows of shape ${text(row)}; those of ${this.#files[0].path} are ${text(known)}`,
          place,
        );
    }
    return shapes[0][0];
  }

  override reshape(_bottom: readonly Blob[], top: readonly Blob[]): void {
    for (const [i, blob] of top.entries()) blob.reshape([this.#hdf5.batch_size, ...this.#rowShapes[i]]);
  }

  override async forward(
    _bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
  ): Promise<void> {
    await stream.sync();
    const { batch_size: batchSize } = this.#hdf5;
    const sizes = top.map((blob) => blob.countFrom(1));
    const dst = top.map((blob) => blob.data);
    for (let n = 0; n < batchSize;) {
      const { file, row } = await this.#locate(this.#position + n);
      const rows = Math.min(batchSize - n, file.rows - row);
      for (const [i, size] of sizes.entries()) {
        const src = file.data[i];
        if (!file.order) dst[i].set(src.subarray(row * size, (row + rows) * size), n * size);
        else
          for (let r = 0; r < rows; r++) {
            const from = file.order[row + r] * size;
            dst[i].set(src.subarray(from, from + size), (n + r) * size);
          }
      }
      n += rows;
    }
    this.#position += batchSize;
    for (const blob of top) blob.version++;
  }

  /** The loaded file that holds a row, and the row's place in it. */
  async #locate(ordinal: number): Promise<{ file: LoadedFile; row: number }> {
    const pass = Math.floor(ordinal / this.#rowsPerPass);
    let row = ordinal % this.#rowsPerPass;
    for (const index of this.#orderOfFiles(pass)) {
      const { path, rows } = this.#files[index];
      if (row < rows) return { file: await this.#load(index, path, rows, pass), row };
      row -= rows;
    }
    throw new Error('unreachable: a row lies in one of the files');
  }

  #orderOfFiles(pass: number): readonly number[] {
    if (this.#fileOrder?.pass === pass) return this.#fileOrder.order;
    const order = this.#hdf5.shuffle
      ? [...permutation(this.#files.length, new RandomWords(this.context.seed, `${this.name}/files`, pass))]
      : [...this.#files.keys()];
    this.#fileOrder = { pass, order };
    return order;
  }

  async #load(index: number, path: string, rows: number, pass: number): Promise<LoadedFile> {
    const { shuffle } = this.#hdf5;
    const known = this.#loaded?.path === path ? this.#loaded : null;
    if (known && (known.pass === pass || !shuffle)) return known;
    let data = known?.data;
    if (!data) {
      // Let go of the last file before the next one is read.
      this.#loaded = null;
      const datasets = await this.#open(path, readNumbers);
      if (
        this.#checkShapes(
          path,
          datasets.map(({ shape }) => shape),
        ) !== rows
      )
        throw new DataError('has changed since it was opened', { file: path, layer: this.name });
      data = datasets.map((dataset) => dataset.data);
    }
    const words = () => new RandomWords(this.context.seed, `${this.name}/rows/${index}`, pass);
    this.#loaded = { path, pass, rows, data, order: shuffle ? permutation(rows, words()) : null };
    return this.#loaded;
  }

  override close(): void {
    this.#loaded = null;
  }
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Blob } from '../blob/index.js';
import { DataError, FormatError } from '../errors/index.js';
import { Layer, type BlobCount, type LayerCheckpoint } from '../graph/layer.js';
import { countIn } from '../layers/checkpoint.js';
import type { NativeStream } from '../native/index.js';
import { create, type HDF5DataParameter } from '../proto/index.js';
import { isHdf5File, NumbersDataset, readListFile, withHdf5File } from '../util/index.js';
import { permutation, RandomWords } from '../util/philox.js';
import type { Rewindable } from './record-layer.js';
import { tellReplacedTraining } from './replacement.js';

/** Bytes of float32 that a layer holds at most. */
export const hdf5Limits = {
  /** Of a file that is held as a whole. */
  file: 2 ** 30,
  /** Of the rows that are held of a larger one. */
  window: 64 * 2 ** 20,
};

/** Rows of a file, as Caffe counts them: in an int. */
const MOST_ROWS = 2 ** 31 - 1;

interface ListedFile {
  path: string;
  rows: number;
}

/** Rows that are in memory. */
interface HeldRows {
  path: string;
  first: number;
  rows: number;
  /** One array per top. */
  data: Float32Array[];
}

/** The order in which a file's rows are served. */
interface RowOrder {
  path: string;
  /** Pass over all files that it is the order of. */
  pass: number;
  order: Uint32Array;
}

/**
 * Rows of HDF5 datasets named like the tops, from a list of files. Every file has all datasets, with as many
 * rows each. `shuffle` changes the order of the files and of the rows in each, anew in every pass. One file is
 * held in memory at a time, of a large one a window of its rows; shuffled rows of a large one are read one by one.
 */
export class HDF5Data extends Layer implements Rewindable {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { min: 1 };
  #files: ListedFile[] = [];
  /** Dimensions of a row, one list per top. */
  #rowShapes: number[][] = [];
  #rowsPerPass = 0;
  #position = 0;
  #held: HeldRows | null = null;
  #rowOrder: RowOrder | null = null;
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
    for (const { path, listed } of this.#listFiles()) {
      this.context.signal?.throwIfAborted();
      const rows = await this.#withDatasets(path, (datasets) => this.#checkShapes(path, datasets), listed);
      this.#files.push({ path, rows });
      this.#rowsPerPass += rows;
    }
    for (const [i, blob] of top.entries()) blob.reshape([this.#hdf5.batch_size, ...this.#rowShapes[i]]);
  }

  /** The source is a list of HDF5 files, or one HDF5 file itself. `listed` says where the list names a file. */
  #listFiles(): { path: string; listed?: string }[] {
    const { baseFolder = '.', dataSource } = this.context;
    const given = dataSource ?? this.#hdf5.source;
    if (!given) this.fail('no list of HDF5 files given', 'hdf5_data_param.source');
    const source = dataSource ? resolve(dataSource) : resolve(baseFolder, given);
    if (dataSource) tellReplacedTraining(dataSource, this.#hdf5.source, this);
    if (isHdf5File(source)) return [{ path: source }];
    const place = { layer: this.name, field: 'hdf5_data_param.source' };
    const files = readListFile(source, place).flatMap(({ line, text }) => {
      // Caffe ends a name at a blank; a file whose name has one is taken as such.
      const names = existsSync(resolve(baseFolder, text)) ? [text] : text.split(/[ \t]+/);
      return names.map((name) => ({
        path: resolve(baseFolder, name),
        listed: `named in ${source}, line ${line}`,
      }));
    });
    if (files.length === 0) throw new DataError('lists no HDF5 file', { file: source, ...place });
    return files;
  }

  /** Opens each top's dataset; the file is closed when `use` returns. */
  async #withDatasets<T>(
    path: string,
    use: (datasets: readonly NumbersDataset[]) => T,
    listed?: string,
  ): Promise<T> {
    try {
      return await withHdf5File(path, 'r', (file) =>
        use(this.param.top.map((name) => NumbersDataset.open(file, name))),
      );
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const reason = listed === undefined ? error.reason : `${error.reason}; ${listed}`;
      throw new DataError(reason, { file: path, layer: this.name, field: error.field, cause: error });
    }
  }

  /** Holds a file's datasets against each other and against the first file's; returns their rows. */
  #checkShapes(path: string, datasets: readonly NumbersDataset[]): number {
    const text = (shape: readonly number[]) => `(${shape.join(', ')})`;
    const [first] = this.param.top;
    const shapes = datasets.map(({ shape }) => shape);
    for (const [i, shape] of shapes.entries()) {
      const place = { file: path, layer: this.name, field: this.param.top[i] };
      if (shape.length === 0) throw new DataError('is a single number; a dataset of rows is needed', place);
      if (shape[0] === 0) throw new DataError('has no rows', place);
      if (shape[0] > MOST_ROWS) throw new DataError(`has ${shape[0]} rows; ${MOST_ROWS} are read`, place);
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
    const dst = top.map((blob) => blob.data);
    for (let n = 0; n < batchSize;) {
      const { index, row, pass } = this.#locate(this.#position + n);
      const rows = Math.min(batchSize - n, this.#files[index].rows - row);
      n += await this.#serve(index, pass, row, rows, dst, n);
    }
    this.#position += batchSize;
    for (const blob of top) blob.version++;
  }

  /** The file that holds a row, and the row's place in it. */
  #locate(ordinal: number): { index: number; row: number; pass: number } {
    const pass = Math.floor(ordinal / this.#rowsPerPass);
    let row = ordinal % this.#rowsPerPass;
    for (const index of this.#orderOfFiles(pass)) {
      const { rows } = this.#files[index];
      if (row < rows) return { index, row, pass };
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

  /** Brings rows of a file, in the pass's order, to the tops from their row `at` on; returns how many these were. */
  async #serve(
    index: number,
    pass: number,
    row: number,
    rows: number,
    dst: readonly Float32Array[],
    at: number,
  ): Promise<number> {
    const file = this.#files[index];
    const sizes = this.#rowShapes.map((shape) => shape.reduce((product, dim) => product * dim, 1));
    const rowBytes = 4 * sizes.reduce((sum, size) => sum + size, 0);
    const order = this.#orderOfRows(index, pass);
    if (file.rows * rowBytes > hdf5Limits.file && order) {
      this.#held = null;
      await this.#read(file, (datasets) => {
        for (let r = 0; r < rows; r++)
          for (const [i, size] of sizes.entries())
            datasets[i].read(order[row + r], 1, dst[i], (at + r) * size);
      });
      return rows;
    }
    const held = await this.#hold(file, row, rowBytes);
    const count = Math.min(rows, held.first + held.rows - row);
    for (const [i, size] of sizes.entries()) {
      const src = held.data[i];
      if (!order)
        dst[i].set(src.subarray((row - held.first) * size, (row - held.first + count) * size), at * size);
      else
        for (let r = 0; r < count; r++) {
          const from = order[row + r] * size;
          dst[i].set(src.subarray(from, from + size), (at + r) * size);
        }
    }
    return count;
  }

  #orderOfRows(index: number, pass: number): Uint32Array | null {
    if (!this.#hdf5.shuffle) return null;
    const { path, rows } = this.#files[index];
    if (this.#rowOrder?.path !== path || this.#rowOrder.pass !== pass) {
      const words = new RandomWords(this.context.seed, `${this.name}/rows/${index}`, pass);
      this.#rowOrder = { path, pass, order: permutation(rows, words) };
    }
    return this.#rowOrder.order;
  }

  /** Rows in memory, `row` among them: all of the file, or of a large one as many as a window holds. */
  async #hold(file: ListedFile, row: number, rowBytes: number): Promise<HeldRows> {
    const held = this.#held;
    if (held?.path === file.path && row >= held.first && row < held.first + held.rows) return held;
    // Let go of the last rows before the next ones are read.
    this.#held = null;
    const whole = file.rows * rowBytes <= hdf5Limits.file;
    const first = whole ? 0 : row;
    const fit = Math.max(1, Math.floor(hdf5Limits.window / rowBytes));
    const rows = whole ? file.rows : Math.min(fit, file.rows - first);
    const data = await this.#read(file, (datasets) =>
      datasets.map((dataset) => {
        const target = new Float32Array(rows * dataset.rowSize);
        dataset.read(first, rows, target);
        return target;
      }),
    );
    return (this.#held = { path: file.path, first, rows, data });
  }

  /** Opens a file again. */
  #read<T>(file: ListedFile, use: (datasets: readonly NumbersDataset[]) => T): Promise<T> {
    return this.#withDatasets(file.path, (datasets) => {
      if (this.#checkShapes(file.path, datasets) !== file.rows)
        throw new DataError('has changed since it was opened', { file: file.path, layer: this.name });
      return use(datasets);
    });
  }

  override close(): void {
    this.#held = null;
  }
}

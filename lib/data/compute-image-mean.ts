import { resolve } from 'node:path';
import { DataError } from '../errors/index.js';
import { create, writeBlobProto, type BlobProto } from '../proto/index.js';
import {
  abortSignal,
  callback,
  checkOptions,
  path,
  required,
  text,
  type OptionKinds,
} from '../util/check-options.js';
import { assertWritable, lockOutput, refuseMeetings, withCallbacks } from '../util/index.js';
import { openDatabase } from './database.js';
import { inOrder } from './in-order.js';
import type { DecodedRecord } from './record.js';

export interface ComputeImageMeanOptions {
  /** An LMDB or LevelDB of Datums that all have the same shape; which of the two it is, the files say. */
  db: string;
  /** The mean file (binaryproto) to write, if any. */
  out?: string;
  signal?: AbortSignal;
  /** The database is open and the output can be written: reading begins. */
  onStart?(): void;
  /** `total` is unknown for a LevelDB until its end was seen. */
  onProgress?(progress: { done: number; total: number | null }): void;
}

const optionKinds: OptionKinds<ComputeImageMeanOptions> = {
  db: required(path),
  out: text,
  signal: abortSignal,
  onStart: callback,
  onProgress: callback,
};

export interface ImageMean {
  /** Shape (1, C, H, W). */
  mean: BlobProto;
  /** The mean of each channel: what mean_value takes. */
  channelMeans: number[];
  /** Records that the mean is of. */
  count: number;
}

/** Adds a record to sums that lie as planes, BGR for decoded images. Float32 sums, as Caffe's are. */
function addTo(sums: Float32Array, { data, channels, height, width, layout }: DecodedRecord): void {
  if (layout === 'planar') {
    for (let i = 0; i < sums.length; i++) sums[i] += data[i];
    return;
  }
  const plane = height * width;
  const swapped = layout === 'interleavedSwapped' && channels >= 3;
  for (let c = 0; c < channels; c++) {
    const from = swapped && c < 3 ? 2 - c : c;
    const base = c * plane;
    for (let i = 0; i < plane; i++) sums[base + i] += data[i * channels + from];
  }
}

function channelMeansOf(mean: Float32Array, channels: number): number[] {
  const plane = mean.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = c * plane; i < (c + 1) * plane; i++) sum = Math.fround(sum + mean[i]);
    return Math.fround(sum / plane);
  });
}

/**
 * The mean image of a database, as Caffe's compute_image_mean does: the same sums in the same order in float32,
 * so the same bytes. Throws DataError, which names the record, where one cannot be read or has another shape.
 */
export async function computeImageMean(options: ComputeImageMeanOptions): Promise<ImageMean> {
  checkOptions('computeImageMean', options, optionKinds);
  return withCallbacks(options, meanOf);
}

async function meanOf(options: ComputeImageMeanOptions): Promise<ImageMean> {
  const { db, out, signal, onProgress } = options;
  if (out) {
    refuseMeetings([{ path: out, what: 'the mean' }], [{ path: db, what: 'the database', closed: true }]);
    assertWritable(out);
  }
  const source = await openDatabase(resolve(db), 'native');
  const lock = out ? lockOutput(out) : null;
  try {
    options.onStart?.();
    let first: DecodedRecord | null = null;
    let sums = new Float32Array(0);
    let count = 0;
    const records = inOrder(source.count ?? Infinity, (index) => source.load(index), signal);
    for await (const record of records) {
      if (!first) {
        first = { ...record, data: new Uint8Array(0) };
        sums = new Float32Array(record.data.length);
      }
      const { key, channels, height, width } = record;
      if (channels !== first.channels || height !== first.height || width !== first.width)
        throw new DataError(
          `record '${key}' is ${channels} x ${height} x ${width}, record '${first.key}' ${first.channels} x ${first.height} x ${first.width}; a mean needs one shape: convert_imageset makes it with --resize_height and --resize_width, without --encoded`,
          { file: db },
        );
      addTo(sums, record);
      count++;
      onProgress?.({ done: count, total: source.count });
    }
    if (!first) throw new DataError('holds no records', { file: db });
    const { channels, height, width } = first;
    const divisor = Math.fround(count);
    for (let i = 0; i < sums.length; i++) sums[i] /= divisor;
    const mean = create('BlobProto', { num: 1, channels, height, width, data: sums });
    if (out) writeBlobProto(out, mean);
    return { mean, channelMeans: channelMeansOf(sums, channels), count };
  } finally {
    lock?.release();
    await source.close();
  }
}

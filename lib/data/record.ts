import { DataError } from '../errors/index.js';
import type { PixelLayout } from '../native/index.js';

/** One record as the transform takes it: its values before crop, mean and scale. */
export interface DecodedRecord {
  /** The record's name in its source: a database key, a path. */
  key: string;
  data: Uint8Array | Float32Array;
  channels: number;
  height: number;
  width: number;
  /** Decoded images are RGB, interleaved; raw records are planar. */
  layout: PixelLayout;
  label: number;
  /** Worth keeping for the next pass: it took longer to decode than to copy. */
  decoded: boolean;
}

/** Where records come from: a database, a list of images. Records have indices that never change. */
export interface RecordSource {
  /** The file or folder, for messages. */
  readonly place: string;
  /** Names the source and how it is decoded: equal names, equal records. */
  readonly identity: string;
  /** Records in a pass; null while a source that cannot count has not reached its end. */
  readonly count: number | null;
  /** The index of a record, counted over all passes; passes may be in different orders. */
  indexOf(ordinal: number): number;
  /**
   * Reads and decodes a record; cheapest in the order of indices. Null where there is none: `count` is known
   * from then on. Rejects with a RecordError where this record alone is at fault.
   */
  load(index: number): Promise<DecodedRecord | null>;
  close(): void | Promise<void>;
}

/** A record that cannot be used although its source can: what `skipBad` skips. */
export class RecordError extends DataError {
  constructor(
    readonly key: string,
    message: string,
    place: { file?: string; layer?: string; cause?: unknown },
  ) {
    super(`record '${key}': ${message}`, place);
  }
}

/** Bytes that a record's values take. */
export function recordBytes(record: DecodedRecord): number {
  return record.data.byteLength;
}

/** The same record with its values planar (B, G, R for images), as `Array` holds them. */
export function toPlanar(
  record: DecodedRecord,
  Array: Uint8ArrayConstructor | Float32ArrayConstructor,
): DecodedRecord {
  const { data, channels, height, width, layout } = record;
  const plane = height * width;
  const values = new Array(data.length);
  if (layout === 'planar') values.set(data);
  else
    for (let c = 0; c < channels; c++) {
      const from = layout === 'interleavedSwapped' && channels >= 3 && c < 3 ? 2 - c : c;
      for (let i = 0; i < plane; i++) values[c * plane + i] = data[i * channels + from];
    }
  return { ...record, data: values, layout: 'planar' };
}

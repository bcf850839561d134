import { realpathSync, statSync } from 'node:fs';
import { DataError } from '../errors/index.js';
import { LmdbReader, type LmdbRecord, type NativeLmdbReader } from '../native/index.js';
import { decodeDatumBytes } from './datum.js';
import type { ColorMode } from './decode-image.js';
import type { DecodedRecord, RecordSource } from './record.js';

/** Records read from the file at once, and the bytes that they should not exceed by much. */
const CHUNK_RECORDS = 16;
const CHUNK_BYTES = 8 * 2 ** 20;

/** The native reader's messages start with the file; our errors carry it separately. */
function dataError(error: unknown, path: string, layer?: string): DataError {
  const { message } = error as Error;
  const end = message.startsWith(path) ? message.indexOf(': ', path.length) : -1;
  const file = end < 0 ? path : message.slice(0, end);
  return new DataError(end < 0 ? message : message.slice(end + 2), { file, layer, cause: error });
}

/** Names a file's present content, for caches. */
export function contentIdentity(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return `${realpathSync(path)}:${size}:${mtimeMs}`;
}

/** An LMDB of Datums in key order. */
export class LmdbSource implements RecordSource {
  readonly identity: string;
  readonly count: number;
  readonly #reader: NativeLmdbReader;
  /** One record until their size is known, then as many as the bounds allow. */
  #chunkRecords = 1;
  /** The chunks read last, by their first index: neighbours are asked for together. */
  readonly #chunks = new Map<number, Promise<LmdbRecord[]>>();

  constructor(
    readonly place: string,
    readonly mode: ColorMode,
    readonly layer?: string,
  ) {
    try {
      this.#reader = new LmdbReader(place);
      this.identity = `lmdb:${mode}:${contentIdentity(place)}`;
    } catch (error) {
      throw dataError(error, place, layer);
    }
    this.count = this.#reader.entries;
  }

  indexOf(ordinal: number): number {
    return ordinal % this.count;
  }

  async load(index: number): Promise<DecodedRecord> {
    const { key, value } = await this.read(index);
    return decodeDatumBytes(value, key, this.mode, this.place);
  }

  /** A record as it is stored. */
  async read(index: number): Promise<LmdbRecord> {
    const first = index - (index % this.#chunkRecords);
    let chunk = this.#chunks.get(first);
    if (!chunk) {
      chunk = this.#reader.read(first, this.#chunkRecords);
      this.#chunks.set(first, chunk);
      // Two are in use where decoding crosses from one to the next.
      for (const old of [...this.#chunks.keys()].slice(0, -2)) this.#chunks.delete(old);
    }
    let record: LmdbRecord;
    try {
      record = (await chunk)[index - first];
    } catch (error) {
      this.#chunks.clear();
      throw dataError(error, this.place, this.layer);
    }
    const fit = Math.floor(CHUNK_BYTES / Math.max(1, record.value.length));
    if (this.#chunkRecords === 1 && fit > 1) {
      this.#chunkRecords = Math.min(CHUNK_RECORDS, fit);
      this.#chunks.clear();
    }
    return record;
  }

  close(): void {
    this.#chunks.clear();
    this.#reader.close();
  }
}

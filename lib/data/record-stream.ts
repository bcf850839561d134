import { DataError } from '../errors/index.js';
import { DECODE_CONCURRENCY } from './decode-image.js';
import type { ImageCache } from './image-cache.js';
import { recordBytes, type DecodedRecord, type RecordSource } from './record.js';

/** Bytes of records that wait decoded, besides those in the cache. */
const AHEAD_BYTES = 64 * 2 ** 20;

/** Records that wait decoded at most, however small they are. */
const MAX_AHEAD = 4096;

export interface LoadedRecord {
  /** Which record of all passes this is. */
  ordinal: number;
  record: DecodedRecord;
}

type Outcome = { record: DecodedRecord } | { error: unknown };

/**
 * Records in the order of their ordinals, decoded ahead of their use on other threads: a few at once, and only
 * as many as a bound on their number and bytes allows.
 */
export class RecordStream {
  readonly #waiting: { ordinal: number; outcome: Promise<Outcome> }[] = [];
  readonly #turns: (() => void)[] = [];
  #running = 0;
  #largest = 0;
  #stopped = false;

  constructor(
    readonly source: RecordSource,
    private readonly cache: ImageCache | null,
    /** Ordinal of the record that comes next out of the stream's front. */
    private head: number,
    /** Records decoded ahead at most. */
    private readonly ahead: number,
    /** Bytes that a record is expected to take. */
    expectedBytes = 0,
  ) {
    this.#largest = expectedBytes;
  }

  /** The next record; rejects with what went wrong with it, and carries on behind it when called again. */
  async next(): Promise<LoadedRecord> {
    if (!this.#stopped) this.#launch();
    const head = this.#waiting.shift();
    if (!head) throw new DataError('reading was started over', { file: this.source.place });
    const { ordinal, outcome } = head;
    const result = await outcome;
    if (!this.#stopped) this.#launch();
    if ('error' in result) throw result.error;
    return { ordinal, record: result.record };
  }

  /** Decodes no more; what is on its way ends unseen. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    for (const turn of this.#turns.splice(0)) turn();
  }

  #launch(): void {
    const room = Math.max(
      1,
      Math.min(this.ahead, MAX_AHEAD, Math.floor(AHEAD_BYTES / Math.max(1, this.#largest))),
    );
    while (this.#waiting.length < room) {
      const ordinal = this.head++;
      this.#waiting.push({ ordinal, outcome: this.#load(ordinal) });
    }
  }

  async #load(ordinal: number): Promise<Outcome> {
    try {
      const known = this.source.count === null ? undefined : this.cache?.get(this.source.indexOf(ordinal));
      if (known) return { record: known };
      await this.#turn();
      try {
        return { record: await this.#read(ordinal) };
      } finally {
        const next = this.#turns.shift();
        if (next) next();
        else this.#running--;
      }
    } catch (error) {
      return { error };
    }
  }

  async #read(ordinal: number): Promise<DecodedRecord> {
    if (this.#stopped) throw new DataError('reading was started over', { file: this.source.place });
    const index = this.source.indexOf(ordinal);
    const known = this.cache?.get(index);
    if (known) return known;
    const record = await this.source.load(index);
    // The source found its end here: the ordinal belongs to a later pass.
    if (!record) return this.#read(ordinal);
    this.cache?.offer(index, record);
    this.#largest = Math.max(this.#largest, recordBytes(record));
    return record;
  }

  /** Waits for one of the places at work; first come, first served, so that sources are read in order. */
  async #turn(): Promise<void> {
    if (this.#running < DECODE_CONCURRENCY) this.#running++;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
  }
}

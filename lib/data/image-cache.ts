import { recordBytes, type DecodedRecord } from './record.js';

/** Bytes of decoded images kept for further passes, all sources together. */
const CACHE_BYTES = 128 * 2 ** 20;

let used = 0;
const caches = new Map<string, ImageCache>();

/**
 * Decoded images of one source, shared by all layers that read it in the same way. The first that come stay:
 * passes go round in one order, where dropping the oldest would drop each just before its turn.
 */
export class ImageCache {
  readonly #records = new Map<number, DecodedRecord>();
  #bytes = 0;
  #users = 0;

  private constructor(readonly identity: string) {}

  /** The cache of a source; give it back with `release`. */
  static acquire(identity: string): ImageCache {
    let cache = caches.get(identity);
    if (!cache) caches.set(identity, (cache = new ImageCache(identity)));
    cache.#users++;
    return cache;
  }

  /** The last one to release it frees its memory. */
  release(): void {
    if (--this.#users > 0) return;
    used -= this.#bytes;
    this.#bytes = 0;
    this.#records.clear();
    if (caches.get(this.identity) === this) caches.delete(this.identity);
  }

  get(index: number): DecodedRecord | undefined {
    return this.#records.get(index);
  }

  /** Keeps a record where there is room for it. */
  offer(index: number, record: DecodedRecord): void {
    const bytes = recordBytes(record);
    if (!record.decoded || this.#users === 0 || this.#records.has(index) || used + bytes > CACHE_BYTES)
      return;
    this.#records.set(index, record);
    this.#bytes += bytes;
    used += bytes;
  }

  /** Bytes that all caches hold. */
  static get usedBytes(): number {
    return used;
  }
}

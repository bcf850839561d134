import { UsageError } from '../errors/index.js';
import { NativeMemory, type NativeBuffer, type NativeStream } from '../native/index.js';

const ALIGNMENT = 64;

/** A piece of memory and the layers between which its content must stay: both ends included. */
export interface Interval {
  bytes: number;
  first: number;
  last: number;
}

/**
 * Places intervals in one arena so that no two that live at the same time overlap: largest first, each into the
 * tightest gap that holds it. Returns offsets in the order given, and the arena's size.
 */
export function assignOffsets(intervals: readonly Interval[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(intervals.length).fill(0);
  const order = intervals.map((_, i) => i).sort((a, b) => intervals[b].bytes - intervals[a].bytes || a - b);
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  let total = 0;
  for (const index of order) {
    const { first, last } = intervals[index];
    const bytes = Math.ceil(intervals[index].bytes / ALIGNMENT) * ALIGNMENT;
    let best = -1;
    let bestGap = Infinity;
    let end = 0;
    // `placed` is sorted by start, so gaps between those alive at the same time come in order.
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      const gap = other.start - end;
      if (gap >= bytes && gap < bestGap) [best, bestGap] = [end, gap];
      end = Math.max(end, other.end);
    }
    const start = best >= 0 ? best : end;
    offsets[index] = start;
    total = Math.max(total, start + bytes);
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, { start, end: start + bytes, first, last });
  }
  return { offsets, bytes: total };
}

/**
 * Memory for activations that several nets share. They run one after the other on one stream, so what one net
 * left in it is over when the next one starts.
 */
export class ActivationArena {
  #needed = 0;
  #buffer: NativeBuffer | null = null;
  #stream: NativeStream | null = null;
  #turn: Promise<void> = Promise.resolve();

  /** Bytes that the largest of its nets needs. */
  get bytes(): number {
    return this.#needed;
  }

  /** Announces a need; memory is taken at the first use, once for the largest need known by then. */
  require(bytes: number): void {
    this.#needed = Math.max(this.#needed, bytes);
  }

  /** The memory; another object after a larger need was announced. */
  get buffer(): NativeBuffer {
    if (!this.#buffer || this.#buffer.byteLength < this.#needed) {
      this.#buffer = null;
      this.#buffer = new NativeMemory(this.#needed);
    }
    return this.#buffer;
  }

  /** Gives the memory back now. */
  free(): void {
    this.#buffer?.free();
    this.#buffer = null;
  }

  /** Ties the arena to the stream of its first net: only one queue keeps the nets apart. */
  attach(stream: NativeStream): void {
    if (this.#stream && this.#stream !== stream)
      throw new UsageError('nets that share an arena must share the stream too');
    this.#stream = stream;
  }

  /** Runs `enqueue` when no other net enqueues its layers: the layers of two nets must not alternate. */
  async exclusive<T>(enqueue: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    let done!: () => void;
    this.#turn = new Promise((resolve) => (done = resolve));
    await before;
    try {
      return await enqueue();
    } finally {
      done();
    }
  }
}

import { DECODE_CONCURRENCY } from './decode-image.js';

/**
 * The results of `work(0)`, `work(1)`, … in this order, up to `count` or the first null; a few run at once, ahead
 * of the one that is waited for. Throws what the first failing one throws, or the signal's reason.
 */
export async function* inOrder<T>(
  count: number,
  work: (index: number) => Promise<T | null>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const waiting: Promise<T | null>[] = [];
  let next = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      while (waiting.length < 2 * DECODE_CONCURRENCY && next < count) {
        const started = work(next++);
        started.catch(() => undefined); // told when its turn comes
        waiting.push(started);
      }
      const result = waiting.length > 0 ? await waiting.shift()! : null;
      if (result === null) return;
      yield result;
    }
  } finally {
    // Nothing may still use the source once the caller goes on to close it.
    await Promise.allSettled(waiting);
  }
}

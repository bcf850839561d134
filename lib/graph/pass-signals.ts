import { UsageError } from '../errors/index.js';
import { Cancellation, type NativeStream } from '../native/index.js';

/**
 * What may end one pass early: the signal of the net and that of the pass. What the pass has enqueued is skipped
 * then, and left in the middle of an op.
 */
export class PassSignals {
  readonly #signals: readonly AbortSignal[];
  readonly #cancellation: Cancellation | null;
  readonly #cancel = (): void => this.#cancellation?.cancel();

  constructor(
    private readonly stream: NativeStream,
    ...signals: readonly (AbortSignal | undefined)[]
  ) {
    this.#signals = signals.filter((signal) => signal !== undefined);
    this.#cancellation = this.#signals.length > 0 ? new Cancellation() : null;
    for (const signal of this.#signals) signal.addEventListener('abort', this.#cancel);
  }

  get aborted(): boolean {
    return this.#signals.some((signal) => signal.aborted);
  }

  throwIfAborted(): void {
    for (const signal of this.#signals) signal.throwIfAborted();
  }

  /**
   * Calls `enqueue`; an abort skips the ops that it enqueues before its first `await`, and makes a `sync` among them
   * reject. What follows an `await` is not skipped: other passes may enqueue by then.
   */
  guard<T>(enqueue: () => T): T {
    this.throwIfAborted();
    if (!this.#cancellation) return enqueue();
    this.stream.cancellation = this.#cancellation;
    try {
      return enqueue();
    } finally {
      this.stream.cancellation = null;
    }
  }

  /**
   * Runs a pass and waits until it is done. Rejects when the stream is at rest again: with the signal's reason where
   * that ended the pass, else with the first error.
   */
  async run(pass: () => Promise<void>): Promise<void> {
    try {
      this.throwIfAborted();
      try {
        await pass();
      } catch (error) {
        // Its own error would only be a second one.
        await this.stream.sync().catch(() => undefined);
        throw error;
      }
      await this.guard(() => this.stream.sync());
    } catch (error) {
      this.throwIfAborted();
      if (this.stream.closed) throw new UsageError('the stream is closed', { cause: error });
      throw error;
    } finally {
      for (const signal of this.#signals) signal.removeEventListener('abort', this.#cancel);
    }
  }
}

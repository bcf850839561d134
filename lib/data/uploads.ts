import { UsageError } from '../errors/index.js';
import { ops, Stream, type NativeStream, type NativeTensor } from '../native/index.js';

/**
 * Brings batches to the current GPU by its copy engine, on a queue of their own: the GPU works on the last batch
 * meanwhile. The source must be pinned memory for that (`NativeMemory`).
 */
export class Uploads {
  #stream: NativeStream | null = null;
  #closed = false;

  /** Resolves when `to` holds what `from` does, which nobody may write to until then. */
  async bring(from: NativeTensor, to: NativeTensor): Promise<void> {
    if (this.#closed) throw new UsageError('uploads are closed');
    this.#stream ??= new Stream({ threads: 1 });
    ops.copy(this.#stream, { src: from, dst: to, label: 'upload' });
    await this.#stream.sync();
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
    this.#stream = null;
  }
}

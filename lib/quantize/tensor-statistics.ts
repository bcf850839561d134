import type { Blob } from '../blob/index.js';
import {
  NativeMemory,
  ops,
  Tensor,
  type NativeStream,
  type NativeTensor,
  type TrimFormat,
} from '../native/index.js';

/**
 * Statistics of one tensor, summed up over the passes that add to it: enqueued on a stream, read when that has
 * come to rest.
 */
export class TensorStatistics {
  readonly #extremes: Float32Array;
  readonly #counts: Int32Array;
  readonly #tensors: { extremes: NativeTensor; counts: NativeTensor };
  #elements = 0;

  /** `format`: the one whose saturated values are counted. */
  constructor(
    readonly label: string,
    readonly format: TrimFormat | null = null,
  ) {
    const extremes = new NativeMemory(3 * 4);
    const counts = new NativeMemory(3 * 4);
    this.#extremes = new Float32Array(extremes.arrayBuffer, 0, 3);
    this.#counts = new Int32Array(counts.arrayBuffer, 0, 3);
    this.#tensors = {
      extremes: new Tensor(extremes, 0, 'f32', [3]),
      counts: new Tensor(counts, 0, 'i32', [3]),
    };
  }

  /** Enqueues a look at a blob. */
  add(blob: Blob, stream: NativeStream): void {
    ops.range(stream, {
      src: blob.tensor(),
      ...this.#tensors,
      format: this.format,
      accumulate: this.#elements > 0,
      label: this.label,
    });
    this.#elements += blob.count;
  }

  get elements(): number {
    return this.#elements;
  }
  /** The largest magnitude; infinite where an infinity was met. */
  get maxAbs(): number {
    return this.#counts[1] > 0 ? Infinity : this.#extremes[2];
  }
  get nans(): number {
    return this.#counts[0];
  }
  /** Values that the format saturates. */
  get saturated(): number {
    return this.#counts[2];
  }
}

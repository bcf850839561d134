import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import type { NativeStream } from '../native/index.js';
import { create, has } from '../proto/index.js';
import { copyPart } from './copy-part.js';

/** Cuts a blob along one axis, at `slice_point`s or into equal parts. */
export class Slice extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { min: 1 };
  #axis = 1;

  override reshape([bottom]: readonly Blob[], top: readonly Blob[]): void {
    const slice = this.param.slice_param ?? create('SliceParameter');
    const older = has(slice, 'slice_dim');
    if (older && has(slice, 'axis')) this.fail('give either axis or slice_dim, not both', 'slice_param');
    this.#axis = bottom.axis(older ? slice.slice_dim : slice.axis);
    const length = bottom.shape[this.#axis];
    let ends: number[];
    if (slice.slice_point.length) {
      if (slice.slice_point.length !== top.length - 1)
        this.fail(
          `${top.length} tops need ${top.length - 1} points, there are ${slice.slice_point.length}`,
          'slice_param.slice_point',
        );
      ends = [...slice.slice_point, length];
    } else {
      if (length % top.length)
        this.fail(`${top.length} tops do not divide the ${length} elements of axis ${this.#axis}`);
      ends = top.map((_, i) => ((i + 1) * length) / top.length);
    }
    for (const [i, blob] of top.entries()) {
      const part = ends[i] - (ends[i - 1] ?? 0);
      if (part < 1)
        this.fail(
          `points must rise and lie within the ${length} elements of axis ${this.#axis}`,
          'slice_param.slice_point',
        );
      blob.reshape(bottom.shape.map((dim, axis) => (axis === this.#axis ? part : dim)));
    }
    if (top.length === 1 && top[0] !== bottom) {
      top[0].shareData(bottom);
      top[0].shareDiff(bottom);
    }
  }

  override forward([bottom]: readonly Blob[], top: readonly Blob[], stream: NativeStream): void {
    let start = 0;
    for (const part of top) {
      copyPart(stream, 'cut', { whole: bottom, part, axis: this.#axis, start, label: this.name });
      start += part.shape[this.#axis];
    }
  }

  override backward({ bottom: [bottom], top, propagateDown }: BackwardPass, stream: NativeStream): void {
    if (!propagateDown[0]) return;
    let start = 0;
    for (const part of top) {
      copyPart(stream, 'join', {
        whole: bottom,
        part,
        axis: this.#axis,
        start,
        label: this.name,
        diff: true,
      });
      start += part.shape[this.#axis];
    }
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override get repeats(): boolean {
    return true;
  }

  override get splitsBatch(): boolean {
    return this.#axis !== 0;
  }
}

import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import type { NativeStream } from '../native/index.js';
import { create, has } from '../proto/index.js';
import { copyPart } from './copy-part.js';

/** Joins blobs along one axis. Bottoms that were made slices of the top are in their place already. */
export class Concat extends Layer {
  readonly bottoms: BlobCount = { min: 1 };
  readonly tops: BlobCount = { exact: 1 };
  #axis = 1;

  /** Known after `reshape`. */
  get axis(): number {
    return this.#axis;
  }

  override reshape(bottom: readonly Blob[], [top]: readonly Blob[]): void {
    const [first] = bottom;
    const concat = this.param.concat_param ?? create('ConcatParameter');
    const older = has(concat, 'concat_dim');
    if (older && has(concat, 'axis')) this.fail('give either axis or concat_dim, not both', 'concat_param');
    this.#axis = first.axis(older ? concat.concat_dim : concat.axis);
    for (const { name, shape, shapeText } of bottom)
      if (
        shape.length !== first.shape.length ||
        shape.some((dim, axis) => axis !== this.#axis && dim !== first.shape[axis])
      )
        this.fail(
          `bottoms '${first.name}' ${first.shapeText} and '${name}' ${shapeText} differ on another axis than ${this.#axis}`,
        );
    const length = bottom.reduce((sum, blob) => sum + blob.shape[this.#axis], 0);
    top.reshape(first.shape.map((dim, axis) => (axis === this.#axis ? length : dim)));
    if (bottom.length === 1 && top !== first) {
      top.shareData(first);
      top.shareDiff(first);
    }
  }

  override forward(bottom: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    let start = 0;
    for (const part of bottom) {
      copyPart(stream, 'join', { whole: top, part, axis: this.#axis, start, label: this.name });
      start += part.shape[this.#axis];
    }
  }

  override backward({ bottom, top: [top], propagateDown }: BackwardPass, stream: NativeStream): void {
    let start = 0;
    for (const [i, part] of bottom.entries()) {
      const place = { whole: top, part, axis: this.#axis, start, label: this.name, diff: true };
      if (propagateDown[i]) copyPart(stream, 'cut', place);
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
    return this.#axis > 0;
  }
}

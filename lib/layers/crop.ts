import { countOf, type Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';
import { zeroDiff } from './zero-diff.js';

/** Elements from each axis to the next element of that axis. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => countOf(shape, axis + 1));
}

/** Cuts the first bottom to the second one's size on all axes from `axis` on, starting at `offset`. */
export class Crop extends Layer {
  readonly bottoms: BlobCount = { exact: 2 };
  readonly tops: BlobCount = { exact: 1 };
  #offsets: number[] = [];

  override reshape([bottom, size]: readonly Blob[], [top]: readonly Blob[]): void {
    const crop = this.param.crop_param ?? create('CropParameter');
    const start = bottom.axis(crop.axis);
    const cropped = bottom.shape.length - start;
    if (crop.offset.length > 1 && crop.offset.length !== cropped)
      this.fail(
        `is given ${crop.offset.length} times; give it once, or for each of ${cropped} axes`,
        'crop_param.offset',
      );
    if (size.shape.length !== bottom.shape.length)
      this.fail(`bottoms ${bottom.shapeText} and ${size.shapeText} differ in their number of axes`);
    this.#offsets = bottom.shape.map((_, axis) =>
      axis < start ? 0 : (crop.offset[crop.offset.length === 1 ? 0 : axis - start] ?? 0),
    );
    top.reshape(
      bottom.shape.map((length, axis) => {
        if (axis < start) return length;
        if (this.#offsets[axis] + size.shape[axis] > length)
          this.fail(
            `${size.shape[axis]} elements from ${this.#offsets[axis]} on exceed axis ${axis} of bottom ${bottom.shapeText}`,
            'crop_param.offset',
          );
        return size.shape[axis];
      }),
    );
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.copyStrided(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      srcOffset: this.#offsetIn(bottom),
      counts: top.shape,
      srcStrides: stridesOf(bottom.shape),
      dstStrides: stridesOf(top.shape),
      label: this.name,
    });
  }

  #offsetIn({ shape }: Blob): number {
    const strides = stridesOf(shape);
    return this.#offsets.reduce((sum, offset, axis) => sum + offset * strides[axis], 0);
  }

  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (!propagateDown[0]) return;
    zeroDiff(bottom, stream, this.name);
    ops.copyStrided(stream, {
      src: top.diffTensor(),
      dst: bottom.diffTensor(),
      dstOffset: this.#offsetIn(bottom),
      counts: top.shape,
      srcStrides: stridesOf(top.shape),
      dstStrides: stridesOf(bottom.shape),
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  /** The second bottom gives a size, its values have no part. */
  override takesDiff(index: number): boolean {
    return index === 0;
  }

  override get repeats(): boolean {
    return true;
  }
}

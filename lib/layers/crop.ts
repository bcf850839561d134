import { countOf, type Blob } from '../blob/index.js';
import { Layer, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';

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
    const srcStrides = stridesOf(bottom.shape);
    ops.copyStrided(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      srcOffset: this.#offsets.reduce((sum, offset, axis) => sum + offset * srcStrides[axis], 0),
      counts: top.shape,
      srcStrides,
      dstStrides: stridesOf(top.shape),
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

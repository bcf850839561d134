import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';

/** The images of the first bottom in the order (and number) that the second one lists. */
export class BatchReindex extends Layer {
  readonly bottoms: BlobCount = { exact: 2 };
  readonly tops: BlobCount = { exact: 1 };

  override reshape([bottom, order]: readonly Blob[], [top]: readonly Blob[]): void {
    if (order.shape.length !== 1)
      this.fail(`bottom '${order.name}' ${order.shapeText} is no list of image numbers`);
    if (bottom.shape.length === 0) this.fail(`bottom '${bottom.name}' has no axes`);
    top.reshape([order.count, ...bottom.shape.slice(1)]);
  }

  override forward([bottom, order]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.gatherRows(stream, {
      table: bottom.tensor(),
      index: order.tensor(),
      dst: top.tensor(),
      label: this.name,
    });
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    const {
      bottom: [bottom, order],
      top: [top],
      propagateDown,
    } = pass;
    if (propagateDown[1]) this.fail(`the order '${order.name}' has no gradient`);
    if (!propagateDown[0]) return;
    ops.scatterRows(stream, {
      src: top.diffTensor(),
      index: order.tensor(),
      table: bottom.diffTensor(),
      overwrite: true,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  override takesDiff(index: number): boolean {
    return index === 0;
  }

  override get repeats(): boolean {
    return true;
  }
}

import type { Blob } from '../blob/index.js';
import type { BackwardPass } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { LossLayer } from './loss-layer.js';

/** Half the squared distance of two blobs, mean over the batch. */
export class EuclideanLoss extends LossLayer {
  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [a, b] = bottom;
    if (a.countFrom(1) !== b.countFrom(1))
      this.fail(`bottoms '${a.name}' ${a.shapeText} and '${b.name}' ${b.shapeText} differ in dimension`);
  }

  override forward([src, target]: readonly Blob[], [loss]: readonly Blob[], stream: NativeStream): void {
    ops.pairLoss(stream, {
      src: src.tensor(),
      target: target.tensor(),
      dst: loss.tensor(),
      kind: 'euclidean',
      normalization: 'batchSize',
      label: this.name,
    });
  }

  override backward(
    { bottom: [src, target], top: [loss], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    ops.pairLossGradient(stream, {
      src: src.tensor(),
      target: target.tensor(),
      dstDiff: loss.diffTensor(),
      srcDiff: propagateDown[0] ? src.diffTensor() : null,
      targetDiff: propagateDown[1] ? target.diffTensor() : null,
      kind: 'euclidean',
      normalization: 'batchSize',
      label: this.name,
    });
  }

  override takesDiff(): boolean {
    return true;
  }

  override get repeats(): boolean {
    return true;
  }
}

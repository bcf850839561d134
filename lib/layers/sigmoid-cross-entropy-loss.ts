import type { Blob } from '../blob/index.js';
import type { BackwardPass } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { LossLayer } from './loss-layer.js';

/** Cross entropy of sigmoid(bottom[0]) against targets in [0, 1]; divided by the batch by default. */
export class SigmoidCrossEntropyLoss extends LossLayer {
  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [scores, targets] = bottom;
    if (scores.count !== targets.count)
      this.fail(
        `bottoms '${scores.name}' ${scores.shapeText} and '${targets.name}' ${targets.shapeText} differ in their number of elements`,
      );
  }

  override forward([src, target]: readonly Blob[], [loss]: readonly Blob[], stream: NativeStream): void {
    ops.pairLoss(stream, {
      src: src.tensor(),
      target: target.tensor(),
      dst: loss.tensor(),
      kind: 'sigmoidCrossEntropy',
      normalization: this.normalization('batchSize'),
      ...this.ignore,
      label: this.name,
    });
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    this.refuseLabelDiff(pass);
    const [src, target] = pass.bottom;
    ops.pairLossGradient(stream, {
      src: src.tensor(),
      target: target.tensor(),
      dstDiff: pass.top[0].diffTensor(),
      srcDiff: src.diffTensor(),
      kind: 'sigmoidCrossEntropy',
      normalization: this.normalization('batchSize'),
      ...this.ignore,
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

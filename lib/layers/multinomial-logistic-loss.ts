import type { Blob } from '../blob/index.js';
import type { BackwardPass } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { LossLayer, perImage } from './loss-layer.js';

/** A probability below this counts as this. */
const FLOOR = 1e-20;

/** -log of the true class's probability, mean over the batch; the bottom holds probabilities. */
export class MultinomialLogisticLoss extends LossLayer {
  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [probabilities, labels] = bottom;
    if (labels.count !== probabilities.shape[0])
      this.fail(`bottom '${labels.name}' ${labels.shapeText} must hold one label per image`);
  }

  override forward([src, labels]: readonly Blob[], [loss]: readonly Blob[], stream: NativeStream): void {
    ops.labelLoss(stream, {
      src: src.tensor(perImage(src)),
      labels: labels.tensor(),
      dst: loss.tensor(),
      kind: 'logarithm',
      normalization: 'batchSize',
      axis: 1,
      floor: FLOOR,
      label: this.name,
    });
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    this.refuseLabelDiff(pass);
    const [src, labels] = pass.bottom;
    ops.labelLossGradient(stream, {
      src: src.tensor(perImage(src)),
      labels: labels.tensor(),
      dstDiff: pass.top[0].diffTensor(),
      srcDiff: src.diffTensor(perImage(src)),
      kind: 'logarithm',
      normalization: 'batchSize',
      axis: 1,
      floor: FLOOR,
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

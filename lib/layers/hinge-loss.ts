import type { Blob } from '../blob/index.js';
import type { BackwardPass } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { HingeLossParameter_Norm as Norm } from '../proto/index.js';
import { LossLayer, perImage } from './loss-layer.js';

/** One-versus-all hinge loss, absolute or squared, mean over the batch. */
export class HingeLoss extends LossLayer {
  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [scores, labels] = bottom;
    if (labels.count !== scores.shape[0])
      this.fail(`bottom '${labels.name}' ${labels.shapeText} must hold one label per image`);
  }

  override forward([src, labels]: readonly Blob[], [loss]: readonly Blob[], stream: NativeStream): void {
    ops.labelLoss(stream, {
      src: src.tensor(perImage(src)),
      labels: labels.tensor(),
      dst: loss.tensor(),
      kind: this.#kind,
      normalization: 'batchSize',
      axis: 1,
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
      kind: this.#kind,
      normalization: 'batchSize',
      axis: 1,
      label: this.name,
    });
  }

  get #kind(): 'hingeL1' | 'hingeL2' {
    return this.param.hinge_loss_param?.norm === Norm.L2 ? 'hingeL2' : 'hingeL1';
  }

  override get repeats(): boolean {
    return true;
  }
}

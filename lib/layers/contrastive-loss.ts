import type { Blob } from '../blob/index.js';
import type { BackwardPass, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';
import { LossLayer } from './loss-layer.js';

/** Pulls pairs of one kind together and pushes others apart, up to `margin`: native/core/op/loss/contrastive_loss.h. */
export class ContrastiveLoss extends LossLayer {
  override bottoms: BlobCount = { exact: 3 };

  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [a, b, similar] = bottom;
    if (a.countFrom(1) !== b.countFrom(1) || a.countFrom(1) !== (a.shape[1] ?? 1))
      this.fail(
        `bottoms '${a.name}' ${a.shapeText} and '${b.name}' ${b.shapeText} must be vectors of one length`,
      );
    if (similar.count !== a.shape[0])
      this.fail(
        `bottom '${similar.name}' ${similar.shapeText} must have one element per pair, ${a.shape[0]}`,
      );
  }

  override forward([a, b, similar]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const pairs = [a.shape[0], a.countFrom(1)];
    ops.contrastiveLoss(stream, {
      a: a.tensor(pairs),
      b: b.tensor(pairs),
      similar: similar.tensor(),
      dst: top.tensor(),
      ...this.#fields,
    });
  }

  override backward(
    { bottom: [a, b, similar], top: [loss], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (propagateDown[2]) this.fail('cannot send a gradient to its labels', 'propagate_down');
    const pairs = [a.shape[0], a.countFrom(1)];
    ops.contrastiveLossGradient(stream, {
      a: a.tensor(pairs),
      b: b.tensor(pairs),
      similar: similar.tensor(),
      dstDiff: loss.diffTensor(),
      aDiff: propagateDown[0] ? a.diffTensor(pairs) : null,
      bDiff: propagateDown[1] ? b.diffTensor(pairs) : null,
      ...this.#fields,
    });
  }

  override takesDiff(index: number): boolean {
    return index < 2;
  }

  get #fields() {
    const { margin, legacy_version: legacy } =
      this.param.contrastive_loss_param ?? create('ContrastiveLossParameter');
    return { margin, legacy, label: this.name };
  }

  override get repeats(): boolean {
    return true;
  }
}

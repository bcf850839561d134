import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import type { LossNormalization } from '../native/index.js';
import { create, has, LossParameter_NormalizationMode as Mode, type LossParameter } from '../proto/index.js';

/** A layer whose first top is one number that training makes smaller; its weight in the loss is 1 by default. */
export abstract class LossLayer extends Layer {
  bottoms: BlobCount = { exact: 2 };
  tops: BlobCount = { exact: 1 };

  override reshape([scores, labels]: readonly Blob[], [top]: readonly Blob[]): void {
    if (!scores.shape.length || scores.shape[0] !== labels.shape[0])
      this.fail(
        `bottoms '${scores.name}' ${scores.shapeText} and '${labels.name}' ${labels.shapeText} must have the same first dimension`,
      );
    top.reshape([]);
  }

  override defaultLossWeight(index: number): number {
    return index === 0 ? 1 : 0;
  }

  override get autoTopBlobs(): boolean {
    return true;
  }

  override takesDiff(index: number): boolean {
    return index === 0;
  }

  /** Labels are read again, scores too by most losses; a second top holds the probabilities that others keep. */
  override get backwardReads(): BackwardReads {
    return { bottom: true, top: this.param.top.length > 1 };
  }

  /** For losses whose labels have no gradient: an error where one is asked for. */
  protected refuseLabelDiff({ propagateDown }: BackwardPass): void {
    if (propagateDown.some((wanted, index) => wanted && index > 0))
      this.fail('cannot send a gradient to its labels', 'propagate_down');
  }

  protected get lossParam(): LossParameter {
    return this.param.loss_param ?? create('LossParameter');
  }

  /** `loss_param.ignore_label`, as the native ops take it. */
  protected get ignore(): { ignores: boolean; ignored: number } {
    const loss = this.lossParam;
    return { ignores: has(loss, 'ignore_label'), ignored: loss.ignore_label };
  }

  /** `loss_param.normalization`, or what the older `normalize` means. */
  protected normalization(fallback: LossNormalization): LossNormalization {
    const loss = this.lossParam;
    if (!has(loss, 'normalization')) {
      if (!has(loss, 'normalize')) return fallback;
      return loss.normalize ? 'valid' : 'batchSize';
    }
    switch (loss.normalization) {
      case Mode.FULL:
        return 'full';
      case Mode.VALID:
        return 'valid';
      case Mode.BATCH_SIZE:
        return 'batchSize';
      default:
        return 'none';
    }
  }

  /** One label per position along the axis, or an error. */
  protected checkLabels(scores: Blob, labels: Blob, axis: number): void {
    const needed = scores.countFrom(0, axis) * scores.countFrom(axis + 1);
    if (labels.count !== needed)
      this.fail(
        `bottom '${scores.name}' ${scores.shapeText} needs ${needed} labels along axis ${axis}; '${labels.name}' ${labels.shapeText} has ${labels.count}`,
      );
  }
}

/** Scores as (images, everything else): what the losses without an axis see. */
export function perImage(blob: Blob): [number, number] {
  return [blob.shape[0] ?? 1, blob.countFrom(1)];
}

import { Blob } from '../blob/index.js';
import type { BackwardPass, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';
import { LossLayer } from './loss-layer.js';

const SMALLEST_NORMAL_FLOAT = 2 ** -126;

/** -log of the true class's probability; a second top gets the probabilities. */
export class SoftmaxWithLoss extends LossLayer {
  override tops: BlobCount = { min: 1, max: 2 };
  #probabilities!: Blob;
  #axis = 1;

  override setup(): void {
    this.#probabilities = new Blob(`${this.name}.probabilities`);
  }

  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [scores, labels] = bottom;
    this.#axis = scores.axis((this.param.softmax_param ?? create('SoftmaxParameter')).axis);
    this.checkLabels(scores, labels, this.#axis);
    (top[1] ?? this.#probabilities).reshape(scores.shape);
  }

  override forward(
    [scores, labels]: readonly Blob[],
    [loss, given]: readonly Blob[],
    stream: NativeStream,
  ): void {
    const probabilities = (given ?? this.#probabilities).tensor();
    const common = { axis: this.#axis, label: this.name };
    ops.softmax(stream, { src: scores.tensor(), dst: probabilities, ...common });
    ops.labelLoss(stream, {
      src: probabilities,
      labels: labels.tensor(),
      dst: loss.tensor(),
      kind: 'logarithm',
      normalization: this.normalization('valid'),
      floor: SMALLEST_NORMAL_FLOAT,
      ...this.ignore,
      ...common,
    });
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    this.refuseLabelDiff(pass);
    const [scores, labels] = pass.bottom;
    const [loss, given] = pass.top;
    ops.labelLossGradient(stream, {
      src: (given ?? this.#probabilities).tensor(),
      labels: labels.tensor(),
      dstDiff: loss.diffTensor(),
      srcDiff: scores.diffTensor(),
      kind: 'logarithm',
      throughSoftmax: true,
      normalization: this.normalization('valid'),
      ...this.ignore,
      axis: this.#axis,
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

import { resolve } from 'node:path';
import { Blob } from '../blob/index.js';
import type { BackwardPass, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { blobData, create, readBlobProto, has } from '../proto/index.js';
import { LossLayer } from './loss-layer.js';

/**
 * -log of every class's probability, weighted by the true class's row of a matrix: the third bottom, or the
 * binaryproto file `source`. A second top gets the probabilities.
 */
export class InfogainLoss extends LossLayer {
  override bottoms: BlobCount = { min: 2, max: 3 };
  override tops: BlobCount = { min: 1, max: 2 };
  #probabilities!: Blob;
  #stored: Blob | undefined;
  #axis = 1;

  override setup(bottom: readonly Blob[]): void {
    this.#probabilities = new Blob(`${this.name}.probabilities`);
    if (has(this.lossParam, 'normalize'))
      this.fail('is not read here: use normalization', 'loss_param.normalize');
    if (bottom.length > 2) return;
    const { source } = this.param.infogain_loss_param ?? create('InfogainLossParameter');
    if (!source) this.fail('is missing, and there is no third bottom', 'infogain_loss_param.source');
    const file = resolve(this.context.baseFolder ?? '.', source);
    const place = { layer: this.name, field: 'infogain_loss_param.source' };
    const values = blobData(readBlobProto(file, place), { file, layer: this.name });
    this.#stored = new Blob(`${this.name}.gain`, [values.length]);
    this.#stored.set(values);
  }

  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.reshape(bottom, top);
    const [scores, labels] = bottom;
    this.#axis = scores.axis((this.param.infogain_loss_param ?? create('InfogainLossParameter')).axis);
    this.checkLabels(scores, labels, this.#axis);
    const classes = scores.shape[this.#axis];
    const gain = bottom[2] ?? this.#stored;
    if (gain.count !== classes ** 2)
      this.fail(`the infogain matrix has ${gain.count} elements for ${classes} classes`);
    (top[1] ?? this.#probabilities).reshape(scores.shape);
  }

  override forward(
    [scores, labels, gain]: readonly Blob[],
    [loss, given]: readonly Blob[],
    stream: NativeStream,
  ): void {
    const probabilities = (given ?? this.#probabilities).tensor();
    const common = { axis: this.#axis, label: this.name };
    ops.softmax(stream, { src: scores.tensor(), dst: probabilities, ...common });
    ops.labelLoss(stream, {
      src: probabilities,
      labels: labels.tensor(),
      gain: (gain ?? this.#stored).tensor(),
      dst: loss.tensor(),
      kind: 'infogain',
      normalization: this.normalization('valid'),
      floor: 1e-20,
      ...this.ignore,
      ...common,
    });
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    this.refuseLabelDiff(pass);
    const [scores, labels, gain] = pass.bottom;
    const [loss, given] = pass.top;
    ops.labelLossGradient(stream, {
      src: (given ?? this.#probabilities).tensor(),
      labels: labels.tensor(),
      gain: (gain ?? this.#stored)!.tensor(),
      dstDiff: loss.diffTensor(),
      srcDiff: scores.diffTensor(),
      kind: 'infogain',
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

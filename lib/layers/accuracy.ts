import type { Blob } from '../blob/index.js';
import { Layer, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, has, type AccuracyParameter } from '../proto/index.js';

/**
 * The share of labels whose class is among the `top_k` scores; a second top gets it per class. Other classes
 * with the same score count as better, so a net whose outputs are all alike scores 0.
 */
export class Accuracy extends Layer {
  readonly bottoms: BlobCount = { exact: 2 };
  readonly tops: BlobCount = { min: 1, max: 2 };
  readonly #accuracy: AccuracyParameter;
  #axis = 1;

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args);
    this.#accuracy = this.param.accuracy_param ?? create('AccuracyParameter');
  }

  override reshape([scores, labels]: readonly Blob[], [top, perClass]: readonly Blob[]): void {
    this.#axis = scores.axis(this.#accuracy.axis);
    const classes = scores.shape[this.#axis];
    const needed = scores.countFrom(0, this.#axis) * scores.countFrom(this.#axis + 1);
    if (labels.count !== needed)
      this.fail(
        `bottom '${scores.name}' ${scores.shapeText} needs ${needed} labels along axis ${this.#axis}; '${labels.name}' ${labels.shapeText} has ${labels.count}`,
      );
    const { top_k: topK } = this.#accuracy;
    if (topK < 1 || topK > classes)
      this.fail(`must be from 1 to the number of classes, ${classes}`, 'accuracy_param.top_k');
    top.reshape([]);
    perClass?.reshape([classes]);
  }

  override forward(
    [scores, labels]: readonly Blob[],
    [top, perClass]: readonly Blob[],
    stream: NativeStream,
  ): void {
    ops.accuracy(stream, {
      src: scores.tensor(),
      labels: labels.tensor(),
      dst: top.tensor(),
      perClass: perClass?.tensor(),
      axis: this.#axis,
      topK: this.#accuracy.top_k,
      ignores: has(this.#accuracy, 'ignore_label'),
      ignored: this.#accuracy.ignore_label,
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';

/** Scores to probabilities along `axis`. */
export class Softmax extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  #axis = 1;

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    this.#axis = bottom.axis((this.param.softmax_param ?? create('SoftmaxParameter')).axis);
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.softmax(stream, { src: bottom.tensor(), dst: top.tensor(), axis: this.#axis, label: this.name });
  }

  override backward({ bottom: [bottom], top: [top] }: BackwardPass, stream: NativeStream): void {
    ops.softmaxGradient(stream, {
      dst: top.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      axis: this.#axis,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: true };
  }

  override get repeats(): boolean {
    return true;
  }

  override get splitsBatch(): boolean {
    return this.#axis > 0;
  }
}

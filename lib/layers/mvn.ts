import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, type MVNParameter } from '../proto/index.js';

/** Subtracts each channel's (or image's) mean and divides by its standard deviation plus `eps`. */
export class MVN extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };

  get #mvn(): MVNParameter {
    return this.param.mvn_param ?? create('MVNParameter');
  }

  #rows(bottom: Blob): number {
    return bottom.legacyDim(0) * (this.#mvn.across_channels ? 1 : bottom.legacyDim(1));
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const rows = this.#rows(bottom);
    if (rows === 0) return;
    ops.mvn(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      rows,
      normalizeVariance: this.#mvn.normalize_variance,
      eps: this.#mvn.eps,
      label: this.name,
    });
  }

  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    const rows = this.#rows(bottom);
    if (!propagateDown[0] || rows === 0) return;
    const { normalize_variance: normalizeVariance, eps } = this.#mvn;
    ops.mvnGradient(stream, {
      src: normalizeVariance ? bottom.tensor() : null,
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      rows,
      normalizeVariance,
      eps,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: this.#mvn.normalize_variance, top: false };
  }

  override get repeats(): boolean {
    return true;
  }
}

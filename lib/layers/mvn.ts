import type { Blob } from '../blob/index.js';
import { Layer, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';

/** Subtracts each channel's (or image's) mean and divides by its standard deviation plus `eps`. */
export class MVN extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const mvn = this.param.mvn_param ?? create('MVNParameter');
    const rows = bottom.legacyDim(0) * (mvn.across_channels ? 1 : bottom.legacyDim(1));
    if (rows === 0) return;
    ops.mvn(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      rows,
      normalizeVariance: mvn.normalize_variance,
      eps: mvn.eps,
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

import type { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream, type TrimFormat } from '../native/index.js';
import { create, LRNParameter_NormRegion as Region, type LRNParameter } from '../proto/index.js';
import { ImageLayer } from './image-layer.js';

/** Local response normalisation across channels or within each channel. */
export class LRN extends ImageLayer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  protected readonly lrn: LRNParameter;
  /** Trims every intermediate result, where set. */
  protected trim: TrimFormat | null = null;

  constructor(...args: ConstructorParameters<typeof ImageLayer>) {
    super(...args);
    this.lrn = this.param.lrn_param ?? create('LRNParameter');
  }

  override setup(_bottom: readonly Blob[], _top: readonly Blob[]): void {
    if (this.lrn.local_size % 2 !== 1) this.fail('must be odd', 'lrn_param.local_size');
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (bottom.shape.length !== 4)
      this.fail(`takes a bottom of four axes; '${bottom.name}' is ${bottom.shapeText}`);
    top.reshape(bottom.shape);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const { local_size: size, alpha, beta, k, norm_region: region } = this.lrn;
    ops.lrn(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      region: region === Region.WITHIN_CHANNEL ? 'within' : 'across',
      size,
      alpha,
      beta,
      k,
      trim: this.trim,
      label: this.name,
    });
  }

  /** Trims pass gradients through as they are: also a quantised layer's is that of the values as they came. */
  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (!propagateDown[0]) return;
    const { local_size: size, alpha, beta, k, norm_region: region } = this.lrn;
    ops.lrnGradient(stream, {
      src: bottom.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      region: region === Region.WITHIN_CHANNEL ? 'within' : 'across',
      size,
      alpha,
      beta,
      k,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  override get repeats(): boolean {
    return true;
  }
}

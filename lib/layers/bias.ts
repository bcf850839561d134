import { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, type BiasParameter } from '../proto/index.js';
import { broadcastAxes, learnedShape } from './broadcast.js';
import { ImageLayer } from './image-layer.js';
import { zeroDiff } from './zero-diff.js';

/** Adds a bias that is broadcast over the other axes: the second bottom, or a learned one. */
export class Bias extends ImageLayer {
  readonly bottoms: BlobCount = { min: 1, max: 2 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #bias: BiasParameter;
  #axes = { axis: 0, axes: 0 };

  constructor(...args: ConstructorParameters<typeof ImageLayer>) {
    super(...args);
    this.#bias = this.param.bias_param ?? create('BiasParameter');
  }

  override setup([bottom, given]: readonly Blob[]): void {
    if (given) return;
    const shape = learnedShape(this, 'bias_param', bottom, this.#bias);
    this.learnable.push({ blob: new Blob(`${this.name}.bias`, shape), filler: this.#bias.filler });
  }

  override reshape([bottom, given]: readonly Blob[], [top]: readonly Blob[]): void {
    this.#axes = broadcastAxes(this, bottom, given ?? this.blobs[0], this.#bias.axis);
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom, given]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.affine(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      bias: (given ?? this.blobs[0]).tensor(),
      ...this.#axes,
      label: this.name,
    });
  }

  override backward(
    { bottom: [bottom, given], top: [top], propagateDown, paramWanted }: BackwardPass,
    stream: NativeStream,
  ): void {
    const dstDiff = top.diffTensor();
    if (given && propagateDown[1]) zeroDiff(given, stream, this.name);
    if (given ? propagateDown[1] : paramWanted[0])
      ops.affineGradient(stream, {
        dstDiff,
        biasDiff: (given ?? this.blobs[0]).diffTensor(),
        ...this.#axes,
        label: this.name,
      });
    if (propagateDown[0] && top !== bottom)
      ops.affine(stream, { src: dstDiff, dst: bottom.diffTensor(), axis: 0, axes: 0, label: this.name });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override get repeats(): boolean {
    return true;
  }

  /** A bias that starts behind the images is the same for each of them. */
  protected override get imageByImage(): boolean {
    return this.#axes.axis > 0 && this.param.bottom.length === 1;
  }
}

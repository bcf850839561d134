import { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, type ScaleParameter } from '../proto/index.js';
import { broadcastAxes, learnedShape } from './broadcast.js';
import { ImageLayer } from './image-layer.js';
import { zeroDiff } from './zero-diff.js';

/**
 * Multiplies by a factor that is broadcast over the other axes: the second bottom, or a learned one (1 where no
 * filler is given). With `bias_term`, adds a learned bias of the same shape.
 */
export class Scale extends ImageLayer {
  readonly bottoms: BlobCount = { min: 1, max: 2 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #scale: ScaleParameter;
  #axes = { axis: 0, axes: 0 };

  constructor(...args: ConstructorParameters<typeof ImageLayer>) {
    super(...args);
    this.#scale = this.param.scale_param ?? create('ScaleParameter');
  }

  override setup([bottom, factor]: readonly Blob[]): void {
    const { filler, bias_term: biasTerm, bias_filler: biasFiller } = this.#scale;
    const shape = factor?.shape ?? learnedShape(this, 'scale_param', bottom, this.#scale);
    if (!factor)
      this.learnable.push({
        blob: new Blob(`${this.name}.scale`, shape),
        filler: filler ?? create('FillerParameter', { type: 'constant', value: 1 }),
      });
    if (biasTerm) this.learnable.push({ blob: new Blob(`${this.name}.bias`, shape), filler: biasFiller });
  }

  override reshape([bottom, factor]: readonly Blob[], [top]: readonly Blob[]): void {
    this.#axes = broadcastAxes(this, bottom, factor ?? this.blobs[0], this.#scale.axis);
    if (this.#scale.bias_term) broadcastAxes(this, bottom, this.blobs[factor ? 0 : 1], this.#scale.axis);
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom, factor]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const [scale, bias] = factor ? [factor, ...this.blobs] : this.blobs;
    ops.affine(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      scale: scale.tensor(),
      bias: bias?.tensor(),
      ...this.#axes,
      label: this.name,
    });
  }

  override backward(
    { bottom: [bottom, given], top: [top], propagateDown, paramWanted }: BackwardPass,
    stream: NativeStream,
  ): void {
    const [scale, bias] = given ? [given, ...this.blobs] : this.blobs;
    const scaleWanted = given ? propagateDown[1] : paramWanted[0];
    const biasWanted = bias && paramWanted[given ? 0 : 1];
    const dstDiff = top.diffTensor();
    if (given && scaleWanted) zeroDiff(given, stream, this.name);
    if (scaleWanted || biasWanted)
      ops.affineGradient(stream, {
        src: scaleWanted ? bottom.tensor() : null,
        dstDiff,
        scaleDiff: scaleWanted ? scale.diffTensor() : null,
        biasDiff: biasWanted ? bias.diffTensor() : null,
        ...this.#axes,
        label: this.name,
      });
    if (propagateDown[0])
      ops.affine(stream, {
        src: dstDiff,
        dst: bottom.diffTensor(),
        scale: scale.tensor(),
        ...this.#axes,
        label: this.name,
      });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  override get repeats(): boolean {
    return true;
  }

  /** A factor that starts behind the images is the same for each of them. */
  protected override get imageByImage(): boolean {
    return this.#axes.axis > 0 && this.param.bottom.length === 1;
  }
}

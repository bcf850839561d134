import { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, has, Phase, type BatchNormParameter } from '../proto/index.js';
import { ImageLayer } from './image-layer.js';

/**
 * (x - mean) / sqrt(variance + eps) per channel, by stored statistics (in the TEST phase, or as
 * `use_global_stats` says) or by the batch's own, which are then added to the stored ones. Stored are running
 * sums and, in the third blob, how much they hold (native/core/op/normalization/batch_norm.h).
 */
export class BatchNorm extends ImageLayer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #norm: BatchNormParameter;
  readonly #stored: boolean;
  /** Means and deviations of the last forward pass, for the backward pass. */
  #used: Blob | null = null;

  constructor(...args: ConstructorParameters<typeof ImageLayer>) {
    super(...args);
    this.#norm = this.param.batch_norm_param ?? create('BatchNormParameter');
    this.#stored = has(this.#norm, 'use_global_stats')
      ? this.#norm.use_global_stats
      : this.context.phase === Phase.TEST;
  }

  override setup([bottom]: readonly Blob[]): void {
    for (const [i, spec] of this.param.param.entries())
      if (spec.lr_mult !== 0)
        this.fail('must be 0: statistics are not learned by gradients', `param[${i}].lr_mult`);
    if (bottom.shape.length === 0) this.fail(`bottom '${bottom.name}' has no axes`);
    const channels = bottom.shape.length === 1 ? 1 : bottom.shape[1];
    if (this.context.backward) this.#used = new Blob(`${this.name}.used`, [2, channels]);
    for (const [name, shape] of [
      ['mean', [channels]],
      ['variance', [channels]],
      ['weight', [1]],
    ] as const)
      this.learnable.push({ blob: new Blob(`${this.name}.${name}`, shape), filler: null, statistic: true });
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    const channels = bottom.shape.length === 1 ? 1 : bottom.shape[1];
    const [mean] = this.blobs;
    if (channels !== mean.count)
      this.fail(`bottom '${bottom.name}' ${bottom.shapeText} does not have ${mean.count} channels`);
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const [mean, variance, weight] = this.blobs;
    ops.batchNorm(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      mean: mean.tensor(),
      variance: variance.tensor(),
      weight: weight.tensor(),
      used: this.#used?.tensor(),
      eps: this.#norm.eps,
      movingAverageFraction: this.#norm.moving_average_fraction,
      update: !this.#stored,
      label: this.name,
    });
    if (!this.#stored) for (const blob of this.blobs) blob.version++;
  }

  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (!propagateDown[0]) return;
    ops.batchNormGradient(stream, {
      src: this.#stored ? null : bottom.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      used: this.#used!.tensor(),
      batch: !this.#stored,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: !this.#stored, top: false };
  }

  override get repeats(): boolean {
    return this.#stored;
  }

  override get splitsBatch(): boolean {
    return this.#stored;
  }
}

import type { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount, LayerCheckpoint } from '../graph/layer.js';
import { ops, type NativeStream, type RandomStream } from '../native/index.js';
import {
  create,
  has,
  Phase,
  PoolingParameter_PoolMethod as Method,
  PoolingParameter_RoundMode as RoundMode,
  type PoolingParameter,
} from '../proto/index.js';
import { fnv1a32 } from '../util/philox.js';
import { countIn } from './checkpoint.js';
import { ImageLayer } from './image-layer.js';
import type { Spatial } from './window.js';

/** What a pooling layer computes, for whoever runs it another way. */
export interface PoolingGeometry {
  readonly kind: 'max' | 'average' | 'weighted' | 'sampled';
  readonly kernel: Spatial;
  readonly stride: Spatial;
  readonly pad: Spatial;
}

/**
 * The maximum, the mean or (stochastic pooling) an element drawn by its share, outside of training the mean so
 * weighted, of each window of a plane. A second top of maximum pooling gets the place of each maximum, h * W + w.
 */
export class Pooling extends ImageLayer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { min: 1, max: 2 };
  readonly #pool: PoolingParameter;
  #kernel: Spatial = { h: 0, w: 0 };
  #stride: Spatial = { h: 1, w: 1 };
  #pad: Spatial = { h: 0, w: 0 };
  /** Forward passes that drew. */
  #draws = 0;
  /** Whether `backward` computes the gradient of the ReLUs in front as well. */
  #rectified = false;

  constructor(...args: ConstructorParameters<typeof ImageLayer>) {
    super(...args);
    this.#pool = this.param.pooling_param ?? create('PoolingParameter');
  }

  override setup(bottom: readonly Blob[], top: readonly Blob[]): void {
    if (top.includes(bottom[0])) this.fail('cannot run in place');
    const pool = this.#pool;
    const given = (field: Parameters<typeof has<PoolingParameter>>[1]) => has(pool, field);
    if (pool.global_pooling) {
      if (given('kernel_size') || given('kernel_h') || given('kernel_w'))
        this.fail('global pooling takes no kernel', 'pooling_param.kernel_size');
    } else {
      if (given('kernel_size') === (given('kernel_h') && given('kernel_w')))
        this.fail('give either kernel_size or kernel_h and kernel_w', 'pooling_param.kernel_size');
      this.#kernel = given('kernel_size')
        ? { h: pool.kernel_size, w: pool.kernel_size }
        : { h: pool.kernel_h, w: pool.kernel_w };
      if (this.#kernel.h < 1 || this.#kernel.w < 1)
        this.fail('must be at least 1', 'pooling_param.kernel_size');
    }
    const pair = (one: 'pad' | 'stride', h: 'pad_h' | 'stride_h', w: 'pad_w' | 'stride_w'): Spatial => {
      if (given(h) !== given(w) || (given(h) && given(one)))
        this.fail(`give either ${one} or both ${h} and ${w}`, `pooling_param.${one}`);
      return given(h) ? { h: pool[h], w: pool[w] } : { h: pool[one], w: pool[one] };
    };
    this.#pad = pair('pad', 'pad_h', 'pad_w');
    this.#stride = pair('stride', 'stride_h', 'stride_w');
    const { h: padH, w: padW } = this.#pad;
    if (this.#stride.h < 1 || this.#stride.w < 1) this.fail('must be at least 1', 'pooling_param.stride');
    if (pool.global_pooling) {
      if (padH || padW) this.fail('global pooling takes no padding', 'pooling_param.pad');
      if (this.#stride.h !== 1 || this.#stride.w !== 1)
        this.fail('global pooling takes no stride', 'pooling_param.stride');
    } else if (padH >= this.#kernel.h || padW >= this.#kernel.w) {
      this.fail('must be less than the kernel', 'pooling_param.pad');
    }
    if (pool.pool === Method.STOCHASTIC) {
      if (padH || padW) this.fail('stochastic pooling takes no padding', 'pooling_param.pad');
    }
    if (top.length > 1 && pool.pool !== Method.MAX)
      this.fail('only maximum pooling has a second top', 'pooling_param.pool');
  }

  override reshape([bottom]: readonly Blob[], top: readonly Blob[]): void {
    if (bottom.shape.length !== 4)
      this.fail(`takes a bottom of four axes; '${bottom.name}' is ${bottom.shapeText}`);
    const [images, channels, height, width] = bottom.shape;
    if (height < 1 || width < 1) this.fail(`bottom '${bottom.name}' of shape ${bottom.shapeText} is empty`);
    if (this.#pool.global_pooling) this.#kernel = { h: height, w: width };
    const shape = [images, channels, this.#pooled('h', height), this.#pooled('w', width)];
    if (shape[2] < 1 || shape[3] < 1)
      this.fail(`exceeds the padded input ${bottom.shapeText}`, 'pooling_param.kernel_size');
    for (const blob of top) blob.reshape(shape);
  }

  /** Windows along one axis: rounded up by default; with padding, none that starts beyond the image. */
  #pooled(axis: keyof Spatial, length: number): number {
    const [kernel, stride, pad] = [this.#kernel[axis], this.#stride[axis], this.#pad[axis]];
    const steps = (length + 2 * pad - kernel) / stride;
    const count = (this.#pool.round_mode === RoundMode.FLOOR ? Math.floor(steps) : Math.ceil(steps)) + 1;
    const padded = this.#pad.h > 0 || this.#pad.w > 0;
    return padded && (count - 1) * stride >= length + pad ? count - 1 : count;
  }

  override forward([bottom]: readonly Blob[], [top, mask]: readonly Blob[], stream: NativeStream): void {
    ops.pooling(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      mask: mask?.tensor(),
      ...this.#windows(this.#draws, top),
    });
    if (this.#kind === 'sampled') this.#draws++;
  }

  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (propagateDown[0]) this.addGradient(bottom, top, stream, false);
  }

  /** Overwrites the bottom's diff or, with `accumulate`, adds to it. */
  addGradient(bottom: Blob, top: Blob, stream: NativeStream, accumulate: boolean): void {
    ops.poolingGradient(stream, {
      src: this.#kind === 'average' ? null : bottom.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      accumulate,
      rectified: this.#rectified,
      ...this.#windows(this.#draws - 1, top),
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: this.#pool.pool !== Method.AVE, top: false };
  }

  override fuseReluGradient(): boolean {
    this.#rectified = this.#kind === 'max';
    return this.#rectified;
  }

  #windows(step: number, top: Blob) {
    const random: RandomStream = {
      seed: this.context.seed,
      stream: fnv1a32(`${this.name}/window`),
      step,
      firstElement: this.elementsBefore(top),
    };
    return {
      kind: this.#kind,
      random: this.#kind === 'sampled' ? random : null,
      kernelH: this.#kernel.h,
      kernelW: this.#kernel.w,
      strideH: this.#stride.h,
      strideW: this.#stride.w,
      padH: this.#pad.h,
      padW: this.#pad.w,
      label: this.name,
    };
  }

  override checkpoint(): LayerCheckpoint | null {
    return this.#kind === 'sampled' ? { draws: this.#draws } : null;
  }

  override restore(checkpoint: LayerCheckpoint): void {
    if (this.#kind !== 'sampled') this.fail('draws nothing and keeps nothing between passes');
    this.#draws = countIn(this, checkpoint, 'draws');
  }

  override get repeats(): boolean {
    return this.#kind !== 'sampled';
  }

  /** Known after `reshape`. */
  get geometry(): PoolingGeometry {
    return { kind: this.#kind, kernel: this.#kernel, stride: this.#stride, pad: this.#pad };
  }

  get #kind(): PoolingGeometry['kind'] {
    switch (this.#pool.pool) {
      case Method.MAX:
        return 'max';
      case Method.AVE:
        return 'average';
      default:
        return this.context.phase === Phase.TRAIN ? 'sampled' : 'weighted';
    }
  }

  override get splitsBatch(): boolean {
    // Samples are drawn once for a whole batch.
    return this.#kind !== 'sampled';
  }
}

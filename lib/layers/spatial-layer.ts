import { Blob, countOf } from '../blob/index.js';
import {
  Layer,
  type BackwardPass,
  type BackwardReads,
  type BlobCount,
  type ForwardTrims,
  type TrimmingLayer,
} from '../graph/layer.js';
import type { NativeStream, NativeTensor } from '../native/index.js';
import { create, type ConvolutionParameter } from '../proto/index.js';
import { PackCache } from './packed.js';
import { readWindow, type Window } from './window.js';

/** What a spatial layer computes, for whoever runs it another way. */
export interface SpatialGeometry {
  readonly window: Window;
  readonly group: number;
  /** The channels' axis; images stand before it, one or two spatial axes behind it. */
  readonly axis: number;
}

/** What one backward pass from a top to its bottom reads and writes. */
export interface SpatialGradients {
  src: NativeTensor;
  weights: NativeTensor;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor | null;
  weightsDiff: NativeTensor | null;
  biasDiff: NativeTensor | null;
}

function tensorOf(blob: Blob, part: 'data' | 'diff', shape?: readonly number[]): NativeTensor {
  return part === 'data' ? blob.tensor(shape) : blob.diffTensor(shape);
}

/**
 * What Convolution and Deconvolution share: `convolution_param`, weights and bias, any number of bottoms of one
 * shape, the axes before `axis` as images, one or two spatial axes after it.
 */
export abstract class SpatialLayer extends Layer implements TrimmingLayer {
  readonly bottoms: BlobCount = { min: 1 };
  readonly tops: BlobCount = { min: 1 };
  protected readonly conv: ConvolutionParameter;
  protected readonly packs = new PackCache();
  protected window!: Window;
  protected relu = false;
  #axis = 1;
  #spatialAxes = 2;

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args);
    this.conv = this.param.convolution_param ?? create('ConvolutionParameter');
  }

  /** Known after `setup`. */
  get geometry(): SpatialGeometry {
    return { window: this.window, group: this.conv.group, axis: this.#axis };
  }

  /** The geometry as the native ops take it. */
  protected get geometryFields() {
    const { stride, pad, dilation } = this.window;
    return {
      strideH: stride.h,
      strideW: stride.w,
      padH: pad.h,
      padW: pad.w,
      dilationH: dilation.h,
      dilationW: dilation.w,
      group: this.conv.group,
    };
  }

  override setup(bottom: readonly Blob[], top: readonly Blob[]): void {
    if (bottom.length !== top.length)
      this.fail(`has ${bottom.length} bottoms and ${top.length} tops; it needs as many tops as bottoms`);
    if (top.some((blob) => bottom.includes(blob))) this.fail('cannot run in place');
    const { num_output: outputs, group, bias_term: biasTerm } = this.conv;
    const shape = bottom[0].shape;
    this.#axis = bottom[0].axis(this.conv.axis);
    this.#spatialAxes = shape.length - this.#axis - 1;
    if (this.#spatialAxes < 1 || this.#spatialAxes > 2)
      this.fail(
        `takes one or two spatial axes after axis ${this.#axis}; bottom '${bottom[0].name}' is ${bottom[0].shapeText}`,
      );
    this.window = readWindow(this, this.conv, this.#spatialAxes);
    const channels = shape[this.#axis];
    if (outputs < 1) this.fail('must be at least 1', 'convolution_param.num_output');
    if (group < 1) this.fail('must be at least 1', 'convolution_param.group');
    if (channels % group || outputs % group)
      this.fail(
        `${group} must divide the ${channels} input channels and the ${outputs} outputs`,
        'convolution_param.group',
      );
    if (this.learnable.length) return;
    const { kernel } = this.window;
    const kernelShape = this.#spatialAxes === 1 ? [kernel.w] : [kernel.h, kernel.w];
    this.learnable.push({
      blob: new Blob(`${this.name}.weights`, [...this.weightShape(channels, outputs, group), ...kernelShape]),
      filler: this.conv.weight_filler,
    });
    if (biasTerm)
      this.learnable.push({
        blob: new Blob(`${this.name}.bias`, [outputs]),
        filler: this.conv.bias_filler,
      });
  }

  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    const channels = this.inputChannels();
    for (const [index, { shape, shapeText, name }] of bottom.entries()) {
      if (shape.length !== this.#axis + 1 + this.#spatialAxes || shape[this.#axis] !== channels)
        this.fail(`bottom '${name}' of shape ${shapeText} does not have ${channels} channels`);
      if (index && shape.some((dim, axis) => dim !== bottom[0].shape[axis]))
        this.fail(`bottoms '${bottom[0].name}' and '${name}' differ in shape`);
      const spatial = shape.slice(this.#axis + 1);
      const { kernel, stride, pad, dilation } = this.window;
      const out = spatial.map((length, i) => {
        const side = spatial.length === 1 || i === 1 ? 'w' : 'h';
        const result = this.outputLength(length, kernel[side], stride[side], pad[side], dilation[side]);
        if (result < 1)
          this.fail(
            `the kernel exceeds the padded input: bottom '${name}' is ${shapeText}`,
            'convolution_param',
          );
        return result;
      });
      top[index].reshape([...shape.slice(0, this.#axis), this.conv.num_output, ...out]);
    }
  }

  override forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream): void {
    this.forwardTrimmed(bottom, top, stream, {});
  }

  override get repeats(): boolean {
    return true;
  }

  forwardTrimmed(
    bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
    trims: ForwardTrims,
  ): void {
    const [weights, bias] = trims.params ?? this.blobs;
    for (const [index, src] of bottom.entries()) {
      // Each pair of a bottom and a top draws words of its own.
      const words = {
        srcRandom: trims.srcRandom && { ...trims.srcRandom, stream: (trims.srcRandom.stream + index) >>> 0 },
        dstRandom: trims.dstRandom && { ...trims.dstRandom, stream: (trims.dstRandom.stream + index) >>> 0 },
      };
      this.run(this.#planes(src), this.#planes(top[index]), weights, bias, stream, { ...trims, ...words });
    }
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    this.backwardTrimmed(pass, stream, this.blobs, pass.bottom);
  }

  backwardTrimmed(
    pass: BackwardPass,
    stream: NativeStream,
    [weights]: readonly Blob[],
    inputs: readonly Blob[],
  ): void {
    const { bottom, top, propagateDown, paramWanted } = pass;
    const [shadow, bias] = this.blobs;
    for (const [index, blob] of bottom.entries()) {
      if (!propagateDown[index] && !paramWanted.includes(true)) continue;
      this.runBackward(
        {
          src: this.#planes(inputs[index]),
          weights: this.kernels(weights),
          dstDiff: this.#planes(top[index], 'diff'),
          srcDiff: propagateDown[index] ? this.#planes(blob, 'diff') : null,
          weightsDiff: paramWanted[0] ? this.kernels(shadow, 'diff') : null,
          biasDiff: paramWanted[1] ? bias.diffTensor() : null,
        },
        stream,
      );
    }
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  override fuseRelu(): boolean {
    return (this.relu = true);
  }

  override close(): void {
    this.packs.free();
  }

  override get splitsBatch(): boolean {
    return this.#axis === 1;
  }
  override get acceptsStridedTop(): boolean {
    return this.#axis === 1 && this.#spatialAxes === 2;
  }
  override get acceptsStridedBottom(): boolean {
    return this.acceptsStridedTop;
  }

  /** The weights' shape without the kernel's axes. */
  protected abstract weightShape(channels: number, outputs: number, group: number): number[];
  /** Input channels, as the weights' shape says. */
  protected abstract inputChannels(): number;
  protected abstract outputLength(
    length: number,
    kernel: number,
    stride: number,
    pad: number,
    dilation: number,
  ): number;
  protected abstract run(
    src: NativeTensor,
    dst: NativeTensor,
    weights: Blob,
    bias: Blob | undefined,
    stream: NativeStream,
    trims: ForwardTrims,
  ): void;

  /** Computes what `tensors` has places for; sums are added to. */
  protected abstract runBackward(tensors: SpatialGradients, stream: NativeStream): void;

  /** The weights with two kernel axes, whatever the number of spatial axes. */
  protected kernels(weights: Blob, part: 'data' | 'diff' = 'data'): NativeTensor {
    if (this.#spatialAxes === 2) return tensorOf(weights, part);
    const [first, second, length] = weights.shape;
    return tensorOf(weights, part, [first, second, 1, length]);
  }

  /** A bottom or top as (images, channels, height, width). */
  #planes(blob: Blob, part: 'data' | 'diff' = 'data'): NativeTensor {
    const { shape } = blob;
    if (this.#axis === 1 && this.#spatialAxes === 2) return tensorOf(blob, part);
    const images = countOf(shape, 0, this.#axis);
    const height = this.#spatialAxes === 2 ? shape[this.#axis + 1] : 1;
    return tensorOf(blob, part, [images, shape[this.#axis], height, shape[shape.length - 1]]);
  }
}

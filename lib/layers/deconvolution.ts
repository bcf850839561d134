import type { Blob } from '../blob/index.js';
import type { ForwardTrims } from '../graph/layer.js';
import { ops, type NativeStream, type NativeTensor } from '../native/index.js';
import { SpatialLayer, type SpatialGradients } from './spatial-layer.js';
import { extent } from './window.js';

/** (N, C, P, Q) -> (N, K, H, W), the transpose of a convolution; weights (C, K / group, R, S), bias (K). */
export class Deconvolution extends SpatialLayer {
  protected override weightShape(channels: number, outputs: number, group: number): number[] {
    return [channels, outputs / group];
  }

  protected override inputChannels(): number {
    return this.learnable[0].blob.shape[0];
  }

  protected override outputLength(
    length: number,
    kernel: number,
    stride: number,
    pad: number,
    dilation: number,
  ): number {
    return stride * (length - 1) + extent(kernel, dilation) - 2 * pad;
  }

  protected override run(
    src: NativeTensor,
    dst: NativeTensor,
    weights: Blob,
    bias: Blob | undefined,
    stream: NativeStream,
    trims: ForwardTrims,
  ): void {
    ops.deconvolution(stream, {
      src,
      weights: this.kernels(weights),
      bias: bias?.tensor(),
      dst,
      ...this.geometryFields,
      relu: this.relu,
      srcTrim: trims.src,
      dstTrim: trims.dst,
      srcRandom: trims.srcRandom,
      dstRandom: trims.dstRandom,
      label: this.name,
    });
  }

  protected override runBackward(tensors: SpatialGradients, stream: NativeStream): void {
    ops.deconvolutionGradient(stream, {
      ...tensors,
      ...this.geometryFields,
      winograd: true,
      label: this.name,
    });
  }
}

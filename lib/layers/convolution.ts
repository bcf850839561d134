import type { Blob } from '../blob/index.js';
import type { ForwardTrims } from '../graph/layer.js';
import { ops, type NativeStream, type NativeTensor } from '../native/index.js';
import { valueVersion } from './packed.js';
import { SpatialLayer, type SpatialGradients } from './spatial-layer.js';
import { extent } from './window.js';

/** (N, C, H, W) -> (N, K, P, Q) with weights (K, C / group, R, S) and bias (K). */
export class Convolution extends SpatialLayer {
  protected override weightShape(channels: number, outputs: number, group: number): number[] {
    return [outputs, channels / group];
  }

  protected override inputChannels(): number {
    return this.learnable[0].blob.shape[1] * this.conv.group;
  }

  protected override outputLength(
    length: number,
    kernel: number,
    stride: number,
    pad: number,
    dilation: number,
  ): number {
    return Math.floor((length + 2 * pad - extent(kernel, dilation)) / stride) + 1;
  }

  protected override run(
    src: NativeTensor,
    dst: NativeTensor,
    weights: Blob,
    bias: Blob | undefined,
    stream: NativeStream,
    trims: ForwardTrims,
  ): void {
    ops.convolution(stream, {
      src,
      weights: this.kernels(weights),
      bias: bias?.tensor(),
      dst,
      ...this.geometryFields,
      relu: this.relu,
      winograd: !trims.exactSums,
      srcTrim: trims.src,
      dstTrim: trims.dst,
      srcRandom: trims.srcRandom,
      dstRandom: trims.dstRandom,
      packed: this.packs.for(weights),
      weightsVersion: valueVersion(weights),
      label: this.name,
    });
  }

  protected override runBackward(tensors: SpatialGradients, stream: NativeStream): void {
    ops.convolutionGradient(stream, {
      ...tensors,
      ...this.geometryFields,
      winograd: true,
      label: this.name,
    });
  }
}

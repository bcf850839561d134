import { Blob, countOf } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';
import { extent, readWindow, type Spatial, type Window } from './window.js';

/** Output positions along one axis for which a kernel element lies inside the image. */
function insideRange(length: number, outputs: number, stride: number, at: number): [number, number] {
  const first = at < 0 ? Math.ceil(-at / stride) : 0;
  const end = at >= length ? 0 : Math.min(outputs, Math.floor((length - 1 - at) / stride) + 1);
  return [first, Math.max(first, end)];
}

/** The windows of a convolution side by side: (N, C, H, W) -> (N, C * R * S, P, Q); 0 outside of the image. */
export class Im2col extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #zero = new Blob(`${this.name}.zero`, [1]);
  #window!: Window;
  #axis = 1;
  #spatialAxes = 2;

  override setup([bottom]: readonly Blob[]): void {
    const conv = this.param.convolution_param ?? create('ConvolutionParameter');
    this.#axis = bottom.axis(conv.axis);
    this.#spatialAxes = bottom.shape.length - this.#axis - 1;
    if (this.#spatialAxes < 1 || this.#spatialAxes > 2)
      this.fail(`takes one or two spatial axes after axis ${this.#axis}; bottom is ${bottom.shapeText}`);
    this.#window = readWindow(this, conv, this.#spatialAxes);
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (bottom.shape.length !== this.#axis + 1 + this.#spatialAxes)
      this.fail(`bottom '${bottom.name}' ${bottom.shapeText} has another number of axes than before`);
    const { kernel } = this.#window;
    const { h, w } = this.#outputs(bottom);
    if (h < 1 || w < 1)
      this.fail(`the kernel exceeds the padded input: bottom is ${bottom.shapeText}`, 'convolution_param');
    top.reshape([
      ...bottom.shape.slice(0, this.#axis),
      bottom.shape[this.#axis] * kernel.h * kernel.w,
      ...(this.#spatialAxes === 2 ? [h, w] : [w]),
    ]);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const { kernel, stride, pad, dilation } = this.#window;
    const label = this.name;
    const dst = top.tensor();
    if (pad.h || pad.w)
      ops.copyStrided(stream, {
        src: this.#zero.tensor(),
        dst,
        counts: [top.count],
        srcStrides: [0],
        dstStrides: [1],
        label,
      });
    const images = countOf(bottom.shape, 0, this.#axis);
    const channels = bottom.shape[this.#axis];
    const input = this.#inputs(bottom);
    const out = this.#outputs(bottom);
    const [inPlane, outPlane] = [input.h * input.w, out.h * out.w];
    const taps = kernel.h * kernel.w;
    // One block per kernel element: what it sees of the image, over all images and channels.
    for (let tap = 0; tap < taps; tap++) {
      const y = Math.floor(tap / kernel.w) * dilation.h - pad.h;
      const x = (tap % kernel.w) * dilation.w - pad.w;
      const [top0, top1] = insideRange(input.h, out.h, stride.h, y);
      const [left0, left1] = insideRange(input.w, out.w, stride.w, x);
      if (top0 === top1 || left0 === left1) continue;
      ops.copyStrided(stream, {
        src: bottom.tensor(),
        dst,
        srcOffset: (y + top0 * stride.h) * input.w + x + left0 * stride.w,
        dstOffset: tap * outPlane + top0 * out.w + left0,
        counts: [images, channels, top1 - top0, left1 - left0],
        srcStrides: [channels * inPlane, inPlane, stride.h * input.w, stride.w],
        dstStrides: [channels * taps * outPlane, taps * outPlane, out.w, 1],
        label,
      });
    }
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    const {
      bottom: [bottom],
      top: [top],
      propagateDown,
    } = pass;
    if (!propagateDown[0]) return;
    const { kernel, stride, pad, dilation } = this.#window;
    const images = countOf(bottom.shape, 0, this.#axis);
    const channels = bottom.shape[this.#axis];
    const input = this.#inputs(bottom);
    const out = this.#outputs(bottom);
    ops.col2im(stream, {
      src: top.diffTensor([images, channels * kernel.h * kernel.w, out.h, out.w]),
      dst: bottom.diffTensor([images, channels, input.h, input.w]),
      kernelH: kernel.h,
      kernelW: kernel.w,
      strideH: stride.h,
      strideW: stride.w,
      padH: pad.h,
      padW: pad.w,
      dilationH: dilation.h,
      dilationW: dilation.w,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override get repeats(): boolean {
    return true;
  }

  #inputs({ shape }: Blob): Spatial {
    return { h: this.#spatialAxes === 2 ? shape[this.#axis + 1] : 1, w: shape[shape.length - 1] };
  }

  #outputs(bottom: Blob): Spatial {
    const { kernel, stride, pad, dilation } = this.#window;
    const along = (length: number, axis: keyof Spatial) =>
      Math.floor((length + 2 * pad[axis] - extent(kernel[axis], dilation[axis])) / stride[axis]) + 1;
    const { h, w } = this.#inputs(bottom);
    return { h: along(h, 'h'), w: along(w, 'w') };
  }
}

import { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';
import { ImageLayer } from './image-layer.js';

/** Multiplies what is negative by a learned slope, one per channel or one for all. */
export class PReLU extends ImageLayer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };

  override setup([bottom]: readonly Blob[]): void {
    const prelu = this.param.prelu_param ?? create('PReLUParameter');
    this.#checkRank(bottom);
    this.learnable.push({
      blob: new Blob(`${this.name}.slope`, prelu.channel_shared ? [] : [bottom.shape[1]]),
      filler: prelu.filler ?? create('FillerParameter', { type: 'constant', value: 0.25 }),
    });
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    this.#checkRank(bottom);
    const [slope] = this.blobs;
    if (slope.shape.length && slope.count !== bottom.shape[1])
      this.fail(`bottom '${bottom.name}' ${bottom.shapeText} does not have ${slope.count} channels`);
    if (top !== bottom) top.reshape(bottom.shape);
  }

  #checkRank({ name, shape, shapeText }: Blob): void {
    if (shape.length < 2) this.fail(`takes at least two axes; bottom '${name}' is ${shapeText}`);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.prelu(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      slope: this.blobs[0].tensor(),
      label: this.name,
    });
  }

  override backward(
    { bottom: [bottom], top: [top], propagateDown, paramWanted }: BackwardPass,
    stream: NativeStream,
  ): void {
    const [slope] = this.blobs;
    ops.preluGradient(stream, {
      src: bottom.tensor(),
      slope: slope.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: propagateDown[0] ? bottom.diffTensor() : null,
      slopeDiff: paramWanted[0] ? slope.diffTensor() : null,
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

import { Blob } from '../blob/index.js';
import { ops, type NativeStream } from '../native/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';

/** A learnable blob of the shape that the prototxt gives, as the top. */
export class Parameter extends Layer {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { exact: 1 };

  override setup(): void {
    const shape = this.param.parameter_param?.shape?.dim ?? [];
    this.learnable.push({ blob: new Blob(`${this.name}.value`, shape), filler: null });
  }

  override reshape(_bottom: readonly Blob[], [top]: readonly Blob[]): void {
    const [value] = this.blobs;
    top.reshape(value.shape);
    top.shareData(value);
  }

  override forward(): void {}

  /** Adds to the parameter's diff, which may hold other passes' already. */
  override backward({ top: [top], paramWanted }: BackwardPass, stream: NativeStream): void {
    const [value] = this.blobs;
    if (!paramWanted[0]) return;
    ops.eltwise(stream, {
      srcs: [value.diffTensor(), top.diffTensor()],
      dst: value.diffTensor(),
      operation: 'sum',
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }
}

import type { NativeStream } from '../native/index.js';
import { zeroDiff } from './zero-diff.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';

/** Reads its bottoms and makes nothing, so that they are no outputs of the net. */
export class Silence extends Layer {
  readonly bottoms: BlobCount = { min: 1 };
  readonly tops: BlobCount = { exact: 0 };

  override reshape(): void {}
  override forward(): void {}

  override backward({ bottom, propagateDown }: BackwardPass, stream: NativeStream): void {
    for (const [i, blob] of bottom.entries()) if (propagateDown[i]) zeroDiff(blob, stream, this.name);
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override get repeats(): boolean {
    return true;
  }
}

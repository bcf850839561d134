import type { Blob } from '../blob/index.js';
import type { BackwardPass, BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { AliasLayer } from './alias-layer.js';

/**
 * The bottom under several names; nets insert it where a blob has several readers. Each name has a diff of its
 * own, the bottom's is their sum.
 */
export class Split extends AliasLayer {
  override tops: BlobCount = { min: 1 };

  override reshape([bottom]: readonly Blob[], top: readonly Blob[]): void {
    for (const blob of top) {
      if (blob === bottom) continue;
      blob.reshape(bottom.shape);
      blob.shareData(bottom);
    }
  }

  override backward(
    { bottom: [bottom], top, propagateDown, topHasDiff }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (!propagateDown[0]) return;
    ops.eltwise(stream, {
      srcs: top.filter((_, i) => topHasDiff[i]).map((blob) => blob.diffTensor()),
      dst: bottom.diffTensor(),
      operation: 'sum',
      label: this.name,
    });
  }

  override get splitsBatch(): boolean {
    return true;
  }
}

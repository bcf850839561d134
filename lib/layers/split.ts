import type { Blob } from '../blob/index.js';
import type { BlobCount } from '../graph/layer.js';
import { AliasLayer } from './alias-layer.js';

/** The bottom under several names; nets insert it where a blob has several readers. */
export class Split extends AliasLayer {
  override tops: BlobCount = { min: 1 };

  override reshape([bottom]: readonly Blob[], top: readonly Blob[]): void {
    for (const blob of top) this.alias(bottom, blob, bottom.shape);
  }

  override get splitsBatch(): boolean {
    return true;
  }
}

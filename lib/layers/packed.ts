import type { Blob } from '../blob/index.js';
import { PackedWeights, type NativePackedWeights } from '../native/index.js';

/** The packed form of each weight blob that a layer has used: its own, or a quantised layer's trimmed copy. */
export class PackCache {
  #packs = new Map<Blob, NativePackedWeights>();

  for(weights: Blob): NativePackedWeights {
    let packed = this.#packs.get(weights);
    if (!packed) this.#packs.set(weights, (packed = new PackedWeights()));
    return packed;
  }

  /** Gives all of their memory back. */
  free(): void {
    for (const packed of this.#packs.values()) packed.free();
    this.#packs.clear();
  }
}

/** Changes whenever the values change, also those of the blob that shares its memory with this one. */
export function valueVersion(blob: Blob): number {
  const owner = blob.owner;
  return owner === blob ? blob.version : blob.version + owner.version;
}

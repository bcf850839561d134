import { Layer, type BlobCount } from '../graph/layer.js';

/** Reads its bottoms and makes nothing, so that they are no outputs of the net. */
export class Silence extends Layer {
  readonly bottoms: BlobCount = { min: 1 };
  readonly tops: BlobCount = { exact: 0 };

  override reshape(): void {}
  override forward(): void {}

  override get repeats(): boolean {
    return true;
  }
}

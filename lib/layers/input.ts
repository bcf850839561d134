import type { Blob } from '../blob/index.js';
import { Layer, type BlobCount } from '../graph/layer.js';

/** Tops that the net's user fills; `shape` is given once, once per top, or not at all. */
export class Input extends Layer {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { min: 1 };

  override setup(_bottom: readonly Blob[], top: readonly Blob[]): void {
    const shapes = this.param.input_param?.shape ?? [];
    if (shapes.length > 1 && shapes.length !== top.length)
      this.fail(`is given ${shapes.length} times for ${top.length} tops`, 'input_param.shape');
    if (shapes.length)
      for (const [i, blob] of top.entries()) blob.reshape(shapes[shapes.length === 1 ? 0 : i].dim);
  }

  /** The user may have reshaped the tops since. */
  override reshape(): void {}
  override forward(): void {}
}

import { Layer } from '../graph/layer.js';

/**
 * A layer that treats each image by itself, wherever the image lies: its blobs may be slices of larger ones, and
 * a batch may run in parts.
 */
export abstract class ImageLayer extends Layer {
  /** Whether it does so with the parameters that it has. */
  protected get imageByImage(): boolean {
    return true;
  }

  override get splitsBatch(): boolean {
    return this.imageByImage;
  }
  override get acceptsStridedTop(): boolean {
    return this.imageByImage;
  }
  override get acceptsStridedBottom(): boolean {
    return this.imageByImage;
  }
}

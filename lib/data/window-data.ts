import { Layer, type BlobCount } from '../graph/layer.js';

/** WindowData (R-CNN's windows of images) is known and refused: nothing here reads window files. */
export class WindowData extends Layer {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { exact: 2 };

  override setup(): never {
    this.fail(
      'WindowData is not supported: cut the windows out and read them with ImageData or Data',
      'type',
    );
  }

  override reshape(): void {}
  override forward(): void {}
}

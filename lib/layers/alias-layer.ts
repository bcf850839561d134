import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import type { NativeStream } from '../native/index.js';

/**
 * A layer that computes nothing: its tops are its bottom under other shapes or names, in the same memory, and so
 * are their diffs.
 */
export abstract class AliasLayer extends Layer {
  bottoms: BlobCount = { exact: 1 };
  tops: BlobCount = { exact: 1 };

  override forward(_bottom: readonly Blob[], _top: readonly Blob[], _stream: NativeStream): void {}

  override backward(_pass: BackwardPass, _stream: NativeStream): void {}

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override get repeats(): boolean {
    return true;
  }

  /** Gives `top` the shape and the bottom's memory. */
  protected alias(bottom: Blob, top: Blob, shape: readonly number[]): void {
    if (top === bottom) return;
    top.reshape(shape);
    top.shareData(bottom);
    top.shareDiff(bottom);
  }

  /** For layers whose top has another shape than the bottom. */
  protected refuseInPlace(bottom: Blob, top: Blob): void {
    if (top === bottom) this.fail('cannot work in place: give the top a name of its own', 'top');
  }
}

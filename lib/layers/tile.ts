import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create } from '../proto/index.js';

/** Repeats a blob `tiles` times along an axis. */
export class Tile extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  #axis = 1;
  #tiles = 1;

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    const tile = this.param.tile_param ?? create('TileParameter');
    this.#axis = bottom.axis(tile.axis);
    this.#tiles = tile.tiles;
    if (this.#tiles < 1) this.fail('must be at least 1', 'tile_param.tiles');
    top.reshape(bottom.shape.map((dim, axis) => (axis === this.#axis ? dim * this.#tiles : dim)));
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const row = bottom.countFrom(this.#axis);
    ops.copyStrided(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      counts: [bottom.countFrom(0, this.#axis), this.#tiles, row],
      srcStrides: [row, 0, 1],
      dstStrides: [this.#tiles * row, row, 1],
      label: this.name,
    });
  }

  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (!propagateDown[0]) return;
    const row = bottom.countFrom(this.#axis);
    for (let tile = 0; tile < this.#tiles; tile++)
      ops.copyStrided(stream, {
        src: top.diffTensor(),
        dst: bottom.diffTensor(),
        srcOffset: tile * row,
        counts: [bottom.countFrom(0, this.#axis), row],
        srcStrides: [this.#tiles * row, 1],
        dstStrides: [row, 1],
        accumulate: tile > 0,
        label: this.name,
      });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override get repeats(): boolean {
    return true;
  }
}

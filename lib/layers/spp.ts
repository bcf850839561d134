import { Blob } from '../blob/index.js';
import { Layer, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, Phase, SPPParameter_PoolMethod as Method } from '../proto/index.js';
import type { Spatial } from './window.js';

/** One level: a grid of bins * bins windows that covers the plane. */
interface Level {
  bins: number;
  kernel: Spatial;
  pad: Spatial;
}

const MAX_HEIGHT = 16;

function levelOf(level: number, height: number, width: number): Level {
  const bins = 2 ** level;
  const [h, w] = [Math.ceil(height / bins), Math.ceil(width / bins)];
  const pad = (kernel: number, length: number) => Math.floor((kernel * bins - length + 1) / 2);
  return { bins, kernel: { h, w }, pad: { h: pad(h, height), w: pad(w, width) } };
}

/**
 * Spatial pyramid pooling: each plane pooled to 1, 2 * 2, 4 * 4, … values, all levels side by side. Each level is
 * written straight into its place in the top.
 */
export class SPP extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  #levels: Level[] = [];
  #parts: Blob[] = [];

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (bottom.shape.length !== 4 || bottom.countFrom(1) === 0)
      this.fail(`takes a bottom of four axes; '${bottom.name}' is ${bottom.shapeText}`);
    const [images, channels, height, width] = bottom.shape;
    const { pyramid_height: levels, pool } = this.param.spp_param ?? create('SPPParameter');
    if (levels < 1 || levels > MAX_HEIGHT)
      this.fail(`must be from 1 to ${MAX_HEIGHT}`, 'spp_param.pyramid_height');
    if (pool === Method.STOCHASTIC && this.param.phase === Phase.TRAIN)
      this.fail('stochastic pooling works in the TEST phase only', 'spp_param.pool');
    this.#levels = Array.from({ length: levels }, (_, level) => levelOf(level, height, width));
    for (const { bins, kernel, pad } of this.#levels)
      if (pad.h >= kernel.h || pad.w >= kernel.w)
        this.fail(`${bins} bins are too many for ${height} * ${width} elements`, 'spp_param.pyramid_height');
    const perImage = this.#levels.reduce((sum, { bins }) => sum + channels * bins * bins, 0);
    top.reshape(levels === 1 ? [images, channels, 1, 1] : [images, perImage]);
    let offset = 0;
    this.#parts = this.#levels.map(({ bins }, level) => {
      const part = new Blob(`${this.name}.level${level}`, [images, channels, bins, bins]);
      part.shareData(top, offset, perImage);
      offset += part.countFrom(1);
      return part;
    });
  }

  override forward([bottom]: readonly Blob[], _top: readonly Blob[], stream: NativeStream): void {
    const { pool } = this.param.spp_param ?? create('SPPParameter');
    for (const [level, { kernel, pad }] of this.#levels.entries())
      ops.pooling(stream, {
        src: bottom.tensor(),
        dst: this.#parts[level].tensor(),
        kind: pool === Method.MAX ? 'max' : pool === Method.AVE ? 'average' : 'weighted',
        kernelH: kernel.h,
        kernelW: kernel.w,
        strideH: kernel.h,
        strideW: kernel.w,
        padH: pad.h,
        padW: pad.w,
        label: this.name,
      });
  }
}

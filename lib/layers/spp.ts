import { Blob } from '../blob/index.js';
import {
  Layer,
  type BackwardPass,
  type BackwardReads,
  type BlobCount,
  type LayerCheckpoint,
} from '../graph/layer.js';
import type { NativeStream } from '../native/index.js';
import { create, PoolingParameter_PoolMethod, SPPParameter_PoolMethod as Method } from '../proto/index.js';
import { countIn } from './checkpoint.js';
import { Pooling } from './pooling.js';

const MAX_HEIGHT = 16;

const methods: Record<Method, PoolingParameter_PoolMethod> = {
  [Method.MAX]: PoolingParameter_PoolMethod.MAX,
  [Method.AVE]: PoolingParameter_PoolMethod.AVE,
  [Method.STOCHASTIC]: PoolingParameter_PoolMethod.STOCHASTIC,
};

/** One level of the pyramid: a pooling layer that writes straight into its place in the top. */
interface Level {
  pooling: Pooling;
  part: Blob;
}

/**
 * Spatial pyramid pooling: each plane pooled to 1, 2 * 2, 4 * 4, … values, all levels side by side.
 */
export class SPP extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  #levels: Level[] = [];

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (bottom.shape.length !== 4 || bottom.countFrom(1) === 0)
      this.fail(`takes a bottom of four axes; '${bottom.name}' is ${bottom.shapeText}`);
    const { pyramid_height: height } = this.param.spp_param ?? create('SPPParameter');
    if (height < 1 || height > MAX_HEIGHT)
      this.fail(`must be from 1 to ${MAX_HEIGHT}`, 'spp_param.pyramid_height');
    const [images, channels] = bottom.shape;
    // 1 + 4 + 16 + …
    const perImage = (channels * (4 ** height - 1)) / 3;
    top.reshape(height === 1 ? [images, channels, 1, 1] : [images, perImage]);
    const draws = this.checkpoint();
    let offset = 0;
    this.#levels = Array.from({ length: height }, (_, level) => {
      const bins = 2 ** level;
      const part = new Blob(`${this.name}.level${level}`, [images, channels, bins, bins]);
      part.shareData(top, offset, perImage);
      part.shareDiff(top, offset, perImage);
      offset += part.countFrom(1);
      const pooling = this.#pooling(level, bins, bottom);
      pooling.setup([bottom], [part]);
      pooling.reshape([bottom], [part]);
      return { pooling, part };
    });
    if (draws) this.restore(draws);
  }

  /** The pooling whose bins * bins windows cover the plane. */
  #pooling(level: number, bins: number, { shape }: Blob): Pooling {
    const along = (length: number) => {
      const kernel = Math.ceil(length / bins);
      return { kernel, pad: Math.floor((kernel * bins - length + 1) / 2) };
    };
    const [h, w] = [along(shape[2]), along(shape[3])];
    if (h.pad >= h.kernel || w.pad >= w.kernel)
      this.fail(
        `${bins} bins are too many for ${shape[2]} * ${shape[3]} elements`,
        'spp_param.pyramid_height',
      );
    const spp = this.param.spp_param ?? create('SPPParameter');
    const param = create('LayerParameter', {
      name: `${this.name}.level${level}`,
      type: 'Pooling',
      pooling_param: {
        pool: methods[spp.pool],
        kernel_h: h.kernel,
        kernel_w: w.kernel,
        stride_h: h.kernel,
        stride_w: w.kernel,
        pad_h: h.pad,
        pad_w: w.pad,
      },
    });
    return new Pooling(param, this.context);
  }

  override forward(bottom: readonly Blob[], _top: readonly Blob[], stream: NativeStream): void {
    for (const { pooling, part } of this.#levels) pooling.forward(bottom, [part], stream);
  }

  override backward({ bottom: [bottom], propagateDown }: BackwardPass, stream: NativeStream): void {
    if (!propagateDown[0]) return;
    for (const [level, { pooling, part }] of this.#levels.entries())
      pooling.addGradient(bottom, part, stream, level > 0);
  }

  override get backwardReads(): BackwardReads {
    return { bottom: this.#levels.some(({ pooling }) => pooling.backwardReads.bottom), top: false };
  }

  /** All levels have drawn as often. */
  override checkpoint(): LayerCheckpoint | null {
    return this.#levels[0]?.pooling.checkpoint() ?? null;
  }

  override restore(checkpoint: LayerCheckpoint): void {
    const draws = countIn(this, checkpoint, 'draws');
    for (const { pooling } of this.#levels) pooling.restore({ draws });
  }

  override get repeats(): boolean {
    return this.#levels.every(({ pooling }) => pooling.repeats);
  }
}

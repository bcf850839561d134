import type { Blob } from '../blob/index.js';
import { Layer, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, has, type ArgMaxParameter } from '../proto/index.js';

/** The `top_k` largest elements of each image, or along `axis`: their indices, values, or both. */
export class ArgMax extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #argmax: ArgMaxParameter;
  #axis: number | null = null;

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args);
    this.#argmax = this.param.argmax_param ?? create('ArgMaxParameter');
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    const { top_k: topK, out_max_val: values } = this.#argmax;
    if (!bottom.shape.length) this.fail(`bottom '${bottom.name}' has no axes`);
    this.#axis = has(this.#argmax, 'axis') ? bottom.axis(this.#argmax.axis) : null;
    const length = this.#axis === null ? bottom.countFrom(1) : bottom.shape[this.#axis];
    if (topK < 1 || topK > length)
      this.fail(`must be from 1 to the number of scores, ${length}`, 'argmax_param.top_k');
    if (this.#axis !== null) {
      top.reshape(bottom.shape.map((dim, axis) => (axis === this.#axis ? topK : dim)));
    } else {
      const shape = Array<number>(Math.max(3, bottom.shape.length)).fill(1);
      shape[0] = bottom.shape[0];
      shape[1] = values ? 2 : 1;
      shape[2] = topK;
      top.reshape(shape);
    }
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const { top_k: topK, out_max_val: values } = this.#argmax;
    const axis = this.#axis;
    ops.argMax(stream, {
      src: bottom.tensor(),
      dst: top.tensor(),
      output: !values ? 'index' : axis === null ? 'both' : 'value',
      outer: axis === null ? bottom.shape[0] : bottom.countFrom(0, axis),
      length: axis === null ? bottom.countFrom(1) : bottom.shape[axis],
      inner: axis === null ? 1 : bottom.countFrom(axis + 1),
      topK,
      label: this.name,
    });
  }

  override get repeats(): boolean {
    return true;
  }
}

import { fill, type Blob } from '../blob/index.js';
import { RistrettoError } from '../errors/index.js';
import { Layer, type BlobCount, type LayerCheckpoint } from '../graph/layer.js';
import { countIn } from '../layers/checkpoint.js';
import type { NativeStream } from '../native/index.js';
import { create, type DummyDataParameter, type FillerParameter } from '../proto/index.js';

const legacyDims = ['num', 'channels', 'height', 'width'] as const;

/** Tops filled by fillers: constant ones once, all others anew in every pass. */
export class DummyData extends Layer {
  readonly bottoms: BlobCount = { exact: 0 };
  readonly tops: BlobCount = { min: 1 };
  /** Element counts that the constant fillers have filled. */
  readonly #filled: (number | undefined)[] = [];
  #pass = 0;

  get #dummy(): DummyDataParameter {
    return this.param.dummy_data_param ?? create('DummyDataParameter');
  }

  override setup(_bottom: readonly Blob[], top: readonly Blob[]): void {
    const param = this.#dummy;
    const legacy = legacyDims.some((dim) => param[dim].length > 0);
    if (legacy && param.shape.length > 0)
      this.fail('both shape and the legacy num, channels, height, width are given', 'dummy_data_param.shape');
    for (const field of legacy ? legacyDims : (['shape'] as const)) this.#requireCount(field, top.length);
    if (param.data_filler.length > 0) this.#requireCount('data_filler', top.length);

    const at = <T>(list: readonly T[], i: number): T => list[list.length === 1 ? 0 : i];
    for (const [i, blob] of top.entries())
      blob.reshape(legacy ? legacyDims.map((dim) => at(param[dim], i)) : at(param.shape, i).dim);
  }

  #requireCount(field: keyof DummyDataParameter & string, tops: number): void {
    const { length } = this.#dummy[field] as readonly unknown[];
    if (length !== 1 && length !== tops)
      this.fail(`given ${length} times for ${tops} tops; once, or once per top`, `dummy_data_param.${field}`);
  }

  #fillerOf(top: number): FillerParameter | null {
    const { data_filler: fillers } = this.#dummy;
    return fillers.length > 1 ? fillers[top] : (fillers[0] ?? null);
  }

  #isConstant(top: number): boolean {
    return (this.#fillerOf(top)?.type ?? 'constant') === 'constant';
  }

  /** The user may have reshaped the tops since. */
  override reshape(): void {}

  override async forward(
    _bottom: readonly Blob[],
    top: readonly Blob[],
    stream: NativeStream,
  ): Promise<void> {
    const pass = this.#pass++;
    const stale = [...top.keys()].filter((i) => {
      // A constant top belongs to the user once it is filled: what was written into it since stays.
      return !this.#isConstant(i) || this.#filled[i] !== top[i].count || !top[i].allocated;
    });
    if (stale.length === 0) return;
    await stream.sync();
    for (const i of stale) {
      try {
        fill(top[i], this.#fillerOf(i), this.context.seed, `${this.name}/${i}`, pass);
      } catch (error) {
        if (!(error instanceof RistrettoError)) throw error;
        this.fail(error.reason, 'dummy_data_param.data_filler');
      }
      this.#filled[i] = top[i].count;
    }
  }

  override checkpoint(): LayerCheckpoint | null {
    const draws = this.param.top.some((_, i) => !this.#isConstant(i));
    return draws ? { passes: this.#pass } : null;
  }

  override restore(checkpoint: LayerCheckpoint): void {
    this.#pass = countIn(this, checkpoint, 'passes');
  }
}

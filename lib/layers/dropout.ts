import type { Blob } from '../blob/index.js';
import type { BackwardPass, LayerCheckpoint } from '../graph/layer.js';
import { ops, type NativeStream, type NativeTensor } from '../native/index.js';
import { create, Phase } from '../proto/index.js';
import { fnv1a32 } from '../util/philox.js';
import { AliasLayer } from './alias-layer.js';
import { countIn } from './checkpoint.js';

/** In the TRAIN phase sets a share of the elements to 0 and scales the others up; else changes nothing. */
export class Dropout extends AliasLayer {
  #ratio = 0;
  /** Training forwards so far. */
  #forwards = 0;

  override setup(): void {
    const { dropout_ratio: ratio } = this.param.dropout_param ?? create('DropoutParameter');
    if (!(ratio >= 0 && ratio < 1))
      this.fail(`must be at least 0 and less than 1, not ${ratio}`, 'dropout_param.dropout_ratio');
    this.#ratio = this.context.phase === Phase.TRAIN ? ratio : 0;
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (this.#ratio === 0) this.alias(bottom, top, bottom.shape);
    else if (top !== bottom) top.reshape(bottom.shape);
  }

  /** Draws anew at every forward. */
  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    if (this.#ratio === 0) return;
    this.#drop(bottom.tensor(), top.tensor(), this.elementsBefore(bottom), this.#forwards++, stream);
  }

  /** Drops the elements that the last forward dropped: their random words say which. */
  override backward(
    { bottom: [bottom], top: [top], propagateDown }: BackwardPass,
    stream: NativeStream,
  ): void {
    if (this.#ratio === 0 || !propagateDown[0]) return;
    this.#drop(
      top.diffTensor(),
      bottom.diffTensor(),
      this.elementsBefore(bottom),
      this.#forwards - 1,
      stream,
    );
  }

  #drop(
    src: NativeTensor,
    dst: NativeTensor,
    firstElement: number,
    step: number,
    stream: NativeStream,
  ): void {
    ops.dropout(stream, {
      src,
      dst,
      ratio: this.#ratio,
      random: {
        seed: this.context.seed,
        stream: fnv1a32(`${this.name}/dropout`),
        step,
        firstElement,
      },
      label: this.name,
    });
  }

  override checkpoint(): LayerCheckpoint | null {
    return this.#ratio === 0 ? null : { forwards: this.#forwards };
  }

  override restore(checkpoint: LayerCheckpoint): void {
    if (this.#ratio === 0) this.fail('drops nothing and keeps nothing between passes');
    this.#forwards = countIn(this, checkpoint, 'forwards');
  }

  override get repeats(): boolean {
    return this.#ratio === 0;
  }

  override get splitsBatch(): boolean {
    return this.#ratio === 0;
  }
  override get acceptsStridedTop(): boolean {
    return this.#ratio === 0;
  }
  override get acceptsStridedBottom(): boolean {
    return this.#ratio === 0;
  }
}

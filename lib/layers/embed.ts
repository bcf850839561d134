import { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, type EmbedParameter } from '../proto/index.js';

/** Replaces each number of the bottom by that row of a learned table of `input_dim` rows, plus a bias. */
export class Embed extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #embed: EmbedParameter;

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args);
    this.#embed = this.param.embed_param ?? create('EmbedParameter');
  }

  override setup(): void {
    const { num_output: outputs, input_dim: rows, bias_term: biasTerm } = this.#embed;
    if (outputs < 1) this.fail('must be at least 1', 'embed_param.num_output');
    if (rows < 1) this.fail('must be at least 1', 'embed_param.input_dim');
    this.learnable.push({
      blob: new Blob(`${this.name}.weights`, [rows, outputs]),
      filler: this.#embed.weight_filler,
    });
    if (biasTerm)
      this.learnable.push({
        blob: new Blob(`${this.name}.bias`, [outputs]),
        filler: this.#embed.bias_filler,
      });
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape([...bottom.shape, this.#embed.num_output]);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const [table, bias] = this.blobs;
    ops.gatherRows(stream, {
      table: table.tensor(),
      index: bottom.tensor(),
      bias: bias?.tensor(),
      dst: top.tensor(),
      label: this.name,
    });
  }

  override backward({ bottom: [bottom], top: [top], paramWanted }: BackwardPass, stream: NativeStream): void {
    const [table, bias] = this.blobs;
    if (!paramWanted.includes(true)) return;
    ops.scatterRows(stream, {
      src: top.diffTensor(),
      index: bottom.tensor(),
      table: paramWanted[0] ? table.diffTensor() : null,
      bias: paramWanted[1] ? bias.diffTensor() : null,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  /** Its bottom are the numbers of rows. */
  override takesDiff(): boolean {
    return false;
  }

  override get repeats(): boolean {
    return true;
  }
}

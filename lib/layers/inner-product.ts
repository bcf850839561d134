import { Blob } from '../blob/index.js';
import {
  Layer,
  type BackwardPass,
  type BackwardReads,
  type BlobCount,
  type ForwardTrims,
  type TrimmingLayer,
} from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { create, type InnerProductParameter } from '../proto/index.js';
import { PackCache, valueVersion } from './packed.js';

/**
 * The fully connected layer: axes from `axis` on are flattened to K inputs, weights are (outputs, K), or
 * (K, outputs) with `transpose`.
 */
export class InnerProduct extends Layer implements TrimmingLayer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #ip: InnerProductParameter;
  readonly #packs = new PackCache();
  #axis = 1;
  #inputs = 0;
  #relu = false;

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args);
    this.#ip = this.param.inner_product_param ?? create('InnerProductParameter');
  }

  /** First of the axes that are flattened; known after `setup`. */
  get axis(): number {
    return this.#axis;
  }
  /** Whether the weights are (inputs, outputs). */
  get transpose(): boolean {
    return this.#ip.transpose;
  }

  override setup(bottom: readonly Blob[], top: readonly Blob[]): void {
    if (top[0] === bottom[0]) this.fail('cannot run in place');
    const { num_output: outputs, transpose } = this.#ip;
    if (outputs < 1) this.fail('must be at least 1', 'inner_product_param.num_output');
    this.#axis = bottom[0].axis(this.#ip.axis);
    this.#inputs = bottom[0].countFrom(this.#axis);
    if (this.learnable.length) return;
    this.learnable.push({
      blob: new Blob(`${this.name}.weights`, transpose ? [this.#inputs, outputs] : [outputs, this.#inputs]),
      filler: this.#ip.weight_filler,
    });
    if (this.#ip.bias_term)
      this.learnable.push({
        blob: new Blob(`${this.name}.bias`, [outputs]),
        filler: this.#ip.bias_filler,
      });
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (bottom.shape.length <= this.#axis || bottom.countFrom(this.#axis) !== this.#inputs)
      this.fail(
        `bottom '${bottom.name}' of shape ${bottom.shapeText} does not have ${this.#inputs} inputs from axis ${this.#axis} on`,
      );
    top.reshape([...bottom.shape.slice(0, this.#axis), this.#ip.num_output]);
  }

  override forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream): void {
    this.forwardTrimmed(bottom, top, stream, {});
  }

  override get repeats(): boolean {
    return true;
  }

  forwardTrimmed(
    [bottom]: readonly Blob[],
    [top]: readonly Blob[],
    stream: NativeStream,
    trims: ForwardTrims,
  ): void {
    const [weights, bias] = trims.params ?? this.blobs;
    const rows = bottom.countFrom(0, this.#axis);
    ops.innerProduct(stream, {
      src: bottom.tensor([rows, this.#inputs]),
      weights: weights.tensor(),
      bias: bias?.tensor(),
      dst: top.tensor([rows, this.#ip.num_output]),
      transpose: this.#ip.transpose,
      relu: this.#relu,
      srcTrim: trims.src,
      dstTrim: trims.dst,
      srcRandom: trims.srcRandom,
      dstRandom: trims.dstRandom,
      packed: this.#packs.for(weights),
      weightsVersion: valueVersion(weights),
      label: this.name,
    });
  }

  override backward(pass: BackwardPass, stream: NativeStream): void {
    this.backwardTrimmed(pass, stream, this.blobs, pass.bottom);
  }

  backwardTrimmed(
    pass: BackwardPass,
    stream: NativeStream,
    [weights]: readonly Blob[],
    [input]: readonly Blob[],
  ): void {
    const {
      bottom: [bottom],
      top: [top],
      propagateDown,
      paramWanted,
    } = pass;
    if (!propagateDown[0] && !paramWanted.includes(true)) return;
    const [shadow, bias] = this.blobs;
    const rows = bottom.countFrom(0, this.#axis);
    ops.innerProductGradient(stream, {
      src: input.tensor([rows, this.#inputs]),
      weights: weights.tensor(),
      dstDiff: top.diffTensor([rows, this.#ip.num_output]),
      srcDiff: propagateDown[0] ? bottom.diffTensor([rows, this.#inputs]) : null,
      weightsDiff: paramWanted[0] ? shadow.diffTensor() : null,
      biasDiff: paramWanted[1] ? bias.diffTensor() : null,
      transpose: this.#ip.transpose,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  override fuseRelu(): boolean {
    return (this.#relu = true);
  }

  override close(): void {
    this.#packs.free();
  }
}

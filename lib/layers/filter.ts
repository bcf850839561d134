import { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream } from '../native/index.js';
import { zeroDiff } from './zero-diff.js';

/**
 * Lets those images of all bottoms but the last pass for which the last one is not 0. How many these are shows
 * when it runs; until then the tops have room for all.
 */
export class Filter extends Layer {
  readonly bottoms: BlobCount = { min: 2 };
  readonly tops: BlobCount = { min: 1 };
  readonly #passing: Blob[] = [];
  #found = -1;
  /** Which bottom selects: the last. */
  #selector = -1;

  override setup(bottom: readonly Blob[], top: readonly Blob[]): void {
    if (top.length !== bottom.length - 1)
      this.fail(`${bottom.length} bottoms need ${bottom.length - 1} tops, there are ${top.length}`, 'top');
    this.#selector = bottom.length - 1;
    this.#passing.push(new Blob(`${this.name}.passing`));
  }

  override reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    const selector = bottom[bottom.length - 1];
    if (selector.shape.length === 0 || selector.countFrom(1) !== 1)
      this.fail(`selector '${selector.name}' ${selector.shapeText} must have one element per image`);
    for (const { name, shape, shapeText } of bottom)
      if (shape[0] !== selector.count)
        this.fail(`bottom '${name}' ${shapeText} does not have the selector's ${selector.count} images`);
    const images = this.#found >= 0 && this.#found <= selector.count ? this.#found : selector.count;
    for (const [i, blob] of top.entries()) blob.reshape([images, ...bottom[i].shape.slice(1)]);
  }

  override async forward(bottom: readonly Blob[], top: readonly Blob[], stream: NativeStream): Promise<void> {
    await stream.sync();
    const selector = bottom[bottom.length - 1];
    const passing = [...selector.data.keys()].filter((image) => selector.data[image] !== 0);
    this.#found = passing.length;
    this.reshape(bottom, top);
    const [index] = this.#passing;
    index.reshape([passing.length]);
    if (passing.length === 0) return;
    index.set(passing);
    for (const [i, blob] of top.entries())
      ops.gatherRows(stream, {
        table: bottom[i].tensor(),
        index: index.tensor(),
        dst: blob.tensor(),
        label: this.name,
      });
  }

  override backward({ bottom, top, propagateDown }: BackwardPass, stream: NativeStream): void {
    if (propagateDown[this.#selector])
      this.fail(`the selector '${bottom[this.#selector].name}' has no gradient`);
    const [index] = this.#passing;
    for (const [i, blob] of top.entries()) {
      if (!propagateDown[i]) continue;
      if (this.#found === 0) zeroDiff(bottom[i], stream, this.name);
      else
        ops.scatterRows(stream, {
          src: blob.diffTensor(),
          index: index.tensor(),
          table: bottom[i].diffTensor(),
          overwrite: true,
          label: this.name,
        });
    }
  }

  override get backwardReads(): BackwardReads {
    return { bottom: false, top: false };
  }

  override takesDiff(index: number): boolean {
    return index !== this.#selector;
  }
}

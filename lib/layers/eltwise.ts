import type { Blob } from '../blob/index.js';
import type { BackwardPass, BackwardReads, BlobCount } from '../graph/layer.js';
import { ops, type EltwiseFields, type NativeStream } from '../native/index.js';
import { create, EltwiseParameter_EltwiseOp as Operation, type EltwiseParameter } from '../proto/index.js';
import { ImageLayer } from './image-layer.js';

const operations: Record<Operation, EltwiseFields['operation']> = {
  [Operation.PROD]: 'product',
  [Operation.SUM]: 'sum',
  [Operation.MAX]: 'maximum',
};

/** The sum (with coefficients), product or maximum of blobs of one shape, element by element. */
export class Eltwise extends ImageLayer {
  readonly bottoms: BlobCount = { min: 2 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #eltwise: EltwiseParameter;

  constructor(...args: ConstructorParameters<typeof ImageLayer>) {
    super(...args);
    this.#eltwise = this.param.eltwise_param ?? create('EltwiseParameter');
  }

  override setup(bottom: readonly Blob[]): void {
    const { coeff, operation } = this.#eltwise;
    if (coeff.length && coeff.length !== bottom.length)
      this.fail(`is given ${coeff.length} times for ${bottom.length} bottoms`, 'eltwise_param.coeff');
    if (coeff.length && operation === Operation.PROD)
      this.fail('only a sum has coefficients', 'eltwise_param.coeff');
  }

  override reshape(bottom: readonly Blob[], [top]: readonly Blob[]): void {
    const [first] = bottom;
    for (const { name, shape, shapeText } of bottom)
      if (shape.length !== first.shape.length || shape.some((dim, axis) => dim !== first.shape[axis]))
        this.fail(`bottoms '${first.name}' ${first.shapeText} and '${name}' ${shapeText} differ in shape`);
    top.reshape(first.shape);
  }

  override forward(bottom: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    const { coeff, operation } = this.#eltwise;
    ops.eltwise(stream, {
      srcs: bottom.map((blob) => blob.tensor()),
      dst: top.tensor(),
      operation: operations[operation],
      coefficients: operation === Operation.SUM ? [...coeff] : [],
      label: this.name,
    });
  }

  /** `stable_prod_grad` or not: a product's gradient is always that of the others' product. */
  override backward({ bottom, top: [top], propagateDown }: BackwardPass, stream: NativeStream): void {
    const { coeff, operation } = this.#eltwise;
    const indices = bottom.flatMap((_, i) => (propagateDown[i] ? [i] : []));
    if (!indices.length) return;
    ops.eltwiseGradient(stream, {
      srcs: this.backwardReads.bottom ? bottom.map((blob) => blob.tensor()) : [],
      dstDiff: top.diffTensor(),
      srcDiffs: indices.map((i) => bottom[i].diffTensor()),
      indices,
      operation: operations[operation],
      coefficients: operation === Operation.SUM ? [...coeff] : [],
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: this.#eltwise.operation !== Operation.SUM, top: false };
  }

  override get repeats(): boolean {
    return true;
  }
}

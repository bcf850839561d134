import type { Blob } from '../blob/index.js';
import { Layer, type BackwardPass, type BackwardReads, type BlobCount } from '../graph/layer.js';
import { ops, type NativeStream, type ReduceFields } from '../native/index.js';
import {
  create,
  ReductionParameter_ReductionOp as Operation,
  type ReductionParameter,
} from '../proto/index.js';

const operations: Record<Operation, ReduceFields['operation']> = {
  [Operation.SUM]: 'sum',
  [Operation.ASUM]: 'absoluteSum',
  [Operation.SUMSQ]: 'squareSum',
  [Operation.MEAN]: 'sum',
};

/** Sums up, in one of four ways, all axes from `axis` on. */
export class Reduction extends Layer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #reduction: ReductionParameter;

  constructor(...args: ConstructorParameters<typeof Layer>) {
    super(...args);
    this.#reduction = this.param.reduction_param ?? create('ReductionParameter');
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    top.reshape(bottom.shape.slice(0, bottom.axis(this.#reduction.axis)));
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.reduce(stream, { src: bottom.tensor(), dst: top.tensor(), ...this.#fields(bottom) });
  }

  override backward({ bottom: [bottom], top: [top] }: BackwardPass, stream: NativeStream): void {
    ops.reduceGradient(stream, {
      src: bottom.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      ...this.#fields(bottom),
    });
  }

  override get backwardReads(): BackwardReads {
    return { bottom: true, top: false };
  }

  #fields(bottom: Blob): Pick<ReduceFields, 'operation' | 'coefficient' | 'label'> {
    const { operation, coeff } = this.#reduction;
    const length = bottom.countFrom(bottom.axis(this.#reduction.axis));
    return {
      operation: operations[operation],
      coefficient: operation === Operation.MEAN ? coeff / length : coeff,
      label: this.name,
    };
  }

  override get repeats(): boolean {
    return true;
  }
}

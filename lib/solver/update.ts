import { Blob } from '../blob/index.js';
import { RistrettoError } from '../errors/index.js';
import type { Net, NetParam } from '../graph/index.js';
import { NativeMemory, ops, Tensor, type NativeBuffer } from '../native/index.js';
import type { SolverParameter } from '../proto/index.js';
import { compile, type Slot, type Step } from './program.js';
import { ruleFor, type UpdateRule } from './rules/index.js';

/** The gradient's norm where it exceeded `clip_gradients`. */
export interface Clipping {
  norm: number;
  limit: number;
}

/** Turns the gradients of a net into new values of its parameters: one native pass a parameter. */
export class Updater {
  /** The rule's memory, in the order of snapshots: for every parameter of the net, then a second time. */
  readonly histories: readonly Blob[];
  readonly #rule: UpdateRule;
  readonly #params: readonly NetParam[];
  readonly #learned: ReadonlySet<NetParam>;
  readonly #sum: NativeBuffer;

  constructor(
    readonly net: Net,
    readonly param: SolverParameter,
  ) {
    // Made when no pass of the net runs: the net's device is not the current one for that alone.
    const { device } = net.stream;
    this.#sum = new NativeMemory(8, device);
    this.#rule = ruleFor(param);
    if (!['L1', 'L2'].includes(param.regularization_type))
      throw new RistrettoError(`'${param.regularization_type}' is neither L1 nor L2`, {
        field: 'regularization_type',
      });
    this.#params = net.params.filter(({ owner }) => !owner);
    this.#learned = new Set(net.learnedParams);
    this.histories = Array.from({ length: this.#rule.histories }, () =>
      this.#params.map(({ name, blob }) => new Blob(`history of ${name}`, blob.shape, device)),
    ).flat();
  }

  /** Makes one update, and waits until it is done. `iteration` counts the updates before it. */
  async apply(rate: number, iteration: number): Promise<Clipping | null> {
    const clipping = await this.#clipping();
    for (const [index, param] of this.#params.entries())
      if (this.#learned.has(param)) this.#enqueue(param, index, rate, iteration, clipping);
    await this.net.stream.sync();
    const changed = new Set([...this.#learned].map(({ blob }) => blob.owner));
    for (const { blob } of this.net.params) if (changed.has(blob.owner)) blob.version++;
    return clipping;
  }

  #enqueue(
    { blob, name, lrMult, decayMult }: NetParam,
    index: number,
    rate: number,
    iteration: number,
    clipping: Clipping | null,
  ): void {
    const { param } = this;
    const operands = new Map<Slot, ReturnType<Blob['tensor']>>([
      ['value', blob.tensor()],
      ['gradient', blob.diffTensor()],
      ['history', this.histories[index].tensor()],
    ]);
    if (this.#rule.histories === 2)
      operands.set('history2', this.histories[this.#params.length + index].tensor());
    const steps: Step[] = [
      ...gradientSteps(param, decayMult, clipping),
      ...this.#rule.steps({ rate: Math.fround(Math.fround(rate) * lrMult), iteration, param }),
      ['subtract', 'value', 'value', 'gradient'],
    ];
    ops.elementwise(this.net.stream, { ...compile(operands, steps), label: name });
  }

  async #clipping(): Promise<Clipping | null> {
    const limit = this.param.clip_gradients;
    if (limit < 0) return null;
    ops.sumOfSquares(this.net.stream, {
      srcs: [...this.#learned].map(({ blob }) => blob.diffTensor()),
      dst: new Tensor(this.#sum, 0, 'i32', [2]),
      label: 'clip_gradients',
    });
    await this.net.stream.sync();
    const norm = Math.sqrt(new Float64Array(this.#sum.arrayBuffer, 0, 1)[0]);
    return norm > limit ? { norm, limit } : null;
  }
}

/** What happens to a gradient before the rule sees it: clipped as the sum it is, made a mean, decayed. */
function gradientSteps(
  { iter_size, weight_decay, regularization_type }: SolverParameter,
  decayMult: number,
  clipping: Clipping | null,
): Step[] {
  const steps: Step[] = [];
  if (clipping) steps.push(['multiply', 'gradient', 'gradient', clipping.limit / clipping.norm]);
  if (iter_size > 1) steps.push(['multiply', 'gradient', 'gradient', 1 / iter_size]);
  const decay = Math.fround(weight_decay * decayMult);
  if (decay === 0) return steps;
  if (regularization_type === 'L1') steps.push(['sign', 'a', 'value'], ['multiply', 'a', 'a', decay]);
  else steps.push(['multiply', 'a', 'value', decay]);
  steps.push(['add', 'gradient', 'gradient', 'a']);
  return steps;
}

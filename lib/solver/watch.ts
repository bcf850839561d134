import { RistrettoError } from '../errors/index.js';
import type { TestResult } from './events.js';

/** Which result of the tests decides what is best, and when training gives up. */
export interface WatchOptions {
  /** Name of an output of the test net; its first element counts. */
  output: string;
  /** Which test net; default the first. */
  net?: number;
  /** Whether larger is better: default true, false for a name that ends in 'loss'. */
  largest?: boolean;
  /** Write the parameters of the best test so far to `<prefix>_best.caffemodel`. */
  save?: boolean;
  /** Tests in a row without a better value after which training stops; never where unset. */
  patience?: number;
}

export interface WatchState {
  best: number | null;
  since: number;
}

/** Follows one output over the tests. */
export class Watch {
  #best: number | null = null;
  #since = 0;

  constructor(readonly options: WatchOptions) {}

  get best(): number | null {
    return this.#best;
  }
  /** Whether the patience has come to its end. */
  get exhausted(): boolean {
    return this.options.patience !== undefined && this.#since >= this.options.patience;
  }

  /** Takes a test's result; the value where it is the best so far. */
  take({ net, outputs }: TestResult): number | null {
    const { output, net: watched = 0, largest = !/loss$/i.test(output) } = this.options;
    if (net !== watched) return null;
    const found = outputs.find(({ name }) => name === output);
    if (!found)
      throw new RistrettoError(
        `test net ${net} has no output '${output}'; its outputs are ${[...new Set(outputs.map(({ name }) => name))].join(', ')}`,
      );
    const { value } = found;
    const better = this.#best === null || (largest ? value > this.#best : value < this.#best);
    if (Number.isNaN(value) || !better) {
      this.#since++;
      return null;
    }
    this.#best = value;
    this.#since = 0;
    return value;
  }

  get state(): WatchState {
    return { best: this.#best, since: this.#since };
  }
  restore({ best, since }: WatchState): void {
    this.#best = best;
    this.#since = since;
  }
}

/** One output blob of a net. */
export interface OutputDescription {
  name: string;
  /** Elements per batch. */
  count: number;
  /** Weight in the net's loss; 0 where it is none. */
  lossWeight: number;
}

/** What one batch gave: the loss, and each output's values, outputs in the original's order. */
export interface BatchScores {
  loss: number;
  values: Float32Array;
}

/** All that is kept of one net's run over the batches. */
export interface NetScores {
  outputs: OutputDescription[];
  batches: BatchScores[];
  /** Mean of every output value over the batches, as the original forms it. */
  means: Float32Array;
  /** Mean loss. */
  loss: number;
}

/** Values kept per batch; a net with larger outputs is scored all the same, but they are not listed. */
export const LISTED_VALUES = 256;

/**
 * Sums scores over batches in float32, batch by batch, and divides in float32 at the end: the form in which
 * the original compares accuracies, and in which the last bit decides a step that lies on the margin.
 */
export class RunningScores {
  #outputs: OutputDescription[] = [];
  #batches: BatchScores[] = [];
  #sums = new Float32Array(0);
  #loss = 0;
  #count = 0;

  add(outputs: OutputDescription[], loss: number, values: Float32Array): void {
    if (this.#count === 0) {
      this.#outputs = outputs;
      this.#sums = new Float32Array(values.length);
    }
    for (let i = 0; i < values.length; i++) this.#sums[i] += values[i];
    this.#loss = Math.fround(this.#loss + Math.fround(loss));
    this.#batches.push({ loss, values: values.slice(0, LISTED_VALUES) });
    this.#count++;
  }

  finish(): NetScores {
    return {
      outputs: this.#outputs,
      batches: this.#batches,
      means: this.#sums.map((sum) => sum / this.#count),
      loss: Math.fround(this.#loss / this.#count),
    };
  }
}

/**
 * The score of a net: the mean of the named output's first value, or of the first output's where no name is
 * given (as the original has it). NaN where there is no such output.
 */
export function scoreOf(scores: NetScores, output?: string): number {
  let offset = 0;
  for (const { name, count } of scores.outputs) {
    if (output === undefined || name === output) return count > 0 ? scores.means[offset] : NaN;
    offset += count;
  }
  return NaN;
}

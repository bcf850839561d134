import type { EvaluationId, QuantizeEvent } from '../quantize/index.js';
import type { Output } from './output.js';
import { formatG } from './format-number.js';
import { formatSeconds, progressBar } from './table.js';

const PART_NAME: Record<EvaluationId['part'], string> = {
  calibration: 'ranges',
  baseline: 'float net',
  convWeights: 'conv weights',
  fcWeights: 'FC weights',
  activations: 'activations',
  ladder: 'net',
  combined: 'combined net',
};

export function evaluationName({ part, bitWidth }: EvaluationId): string {
  return bitWidth === null
    ? PART_NAME[part]
    : `${PART_NAME[part]}, ${bitWidth} ${bitWidth === 1 ? 'bit' : 'bits'}`;
}

/** The status block of a running search: a bar per round, with what runs in it, and scores as they come. */
export class SearchProgress {
  #round: EvaluationId[] = [];
  #iterations = 0;
  #batch = 0;
  #started = Date.now();

  constructor(private readonly output: Output) {}

  handle(event: QuantizeEvent): void {
    if (this.output.mode !== 'terminal') return;
    switch (event.kind) {
      case 'round':
        this.#round = event.evaluations;
        this.#iterations = event.iterations;
        this.#batch = 0;
        this.#started = Date.now();
        break;
      case 'batch':
        this.#batch = Math.max(this.#batch, event.batch + 1);
        break;
      case 'scored':
        if (event.evaluation.part !== 'calibration')
          this.output.print(
            `${evaluationName(event.evaluation).padEnd(24)} ${formatG(event.score).padStart(9)}` +
              (event.reused ? '  (known already)' : ''),
          );
        break;
      default:
        return;
    }
    this.#show();
  }

  finish(): void {
    this.output.status([]);
  }

  #show(): void {
    if (this.#round.length === 0 || this.#batch === 0) return this.output.status([]);
    const seconds = (Date.now() - this.#started) / 1000;
    const left = (seconds / this.#batch) * (this.#iterations - this.#batch);
    const width = Math.max(10, Math.min(40, this.output.columns - 50));
    this.output.status([
      this.#round
        .map(evaluationName)
        .join('; ')
        .slice(0, this.output.columns - 1),
      `${progressBar(this.#batch, this.#iterations, width)} batch ${this.#batch} of ${this.#iterations}, ` +
        `${formatSeconds(left)} left`,
    ]);
  }
}

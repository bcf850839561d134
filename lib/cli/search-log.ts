import type { EvaluationId, QuantizeEvent } from '../quantize/index.js';
import {
  batchLines,
  integerLengthLines,
  meanLines,
  QUANTIZATION_SITES,
  runningLine,
  type OriginalLine,
} from './original-lines.js';

/** The order in which the original runs things. */
const ORDER: readonly EvaluationId['part'][] = [
  'baseline',
  'calibration',
  'convWeights',
  'fcWeights',
  'activations',
  'ladder',
  'combined',
];

interface Pending {
  lines: OriginalLine[];
  finished: boolean;
}

/**
 * Turns the events of a search, in which many nets run side by side, into the original's log, in which they
 * run one after another: an evaluation's lines wait until it is its turn there.
 */
export class SearchLog {
  readonly #parts = new Map<EvaluationId['part'], { evaluations: Map<string, Pending>; ended: boolean }>();

  /** What the original logs in this mode: the integer lengths, and the combined net, which minifloat never scores. */
  constructor(
    private readonly emit: (line: OriginalLine) => void,
    private readonly options: { integerLengths: boolean; combined: boolean },
  ) {
    for (const part of ORDER) this.#parts.set(part, { evaluations: new Map(), ended: false });
  }

  handle(event: QuantizeEvent): void {
    switch (event.kind) {
      case 'round': {
        const present = new Set(event.evaluations.map(({ part }) => part));
        // Every ladder starts in the round of the baseline, and one that a round leaves out has ended.
        for (const [part, state] of this.#parts)
          if (!present.has(part) && part !== 'combined')
            state.ended ||= state.evaluations.size > 0 || (present.has('baseline') && part !== 'calibration');
        if (present.has('combined')) for (const [, state] of this.#parts) state.ended = true;
        for (const evaluation of event.evaluations)
          this.#pending(evaluation).lines.push(runningLine(QUANTIZATION_SITES, event.iterations));
        break;
      }
      case 'batch':
        this.#pending(event.evaluation).lines.push(
          ...batchLines(QUANTIZATION_SITES, event.outputs, event.batch, event.scores.values),
        );
        break;
      case 'scored': {
        const pending = this.#pending(event.evaluation);
        if (event.reused) {
          pending.lines = [runningLine(QUANTIZATION_SITES, event.iterations)];
          for (const [batch, { values }] of event.scores.batches.entries())
            pending.lines.push(...batchLines(QUANTIZATION_SITES, event.scores.outputs, batch, values));
        }
        pending.lines.push(...meanLines(QUANTIZATION_SITES, event.scores));
        pending.finished = true;
        break;
      }
      case 'integerLengths': {
        // They follow the calibration, also where that was replaced by a file.
        const calibration = this.#parts.get('calibration')!;
        if (this.options.integerLengths)
          calibration.evaluations.set('lengths', {
            lines: integerLengthLines(event.integerLengths),
            finished: true,
          });
        calibration.ended = true;
        break;
      }
      case 'warning':
        break;
    }
    this.#flush();
  }

  /** Everything has ended: emits what is left. */
  finish(): void {
    for (const state of this.#parts.values()) state.ended = true;
    this.#flush();
  }

  #pending({ part, bitWidth }: EvaluationId): Pending {
    const { evaluations } = this.#parts.get(part)!;
    const key = String(bitWidth);
    let pending = evaluations.get(key);
    if (!pending) evaluations.set(key, (pending = { lines: [], finished: false }));
    return pending;
  }

  #flush(): void {
    for (const part of ORDER) {
      const state = this.#parts.get(part)!;
      const silent = part === 'combined' && !this.options.combined;
      for (const pending of state.evaluations.values()) {
        if (!silent) pending.lines.forEach(this.emit);
        pending.lines = [];
        if (!pending.finished) return;
      }
      if (state.evaluations.size === 0 ? !state.ended : part !== 'baseline' && !state.ended) return;
    }
  }
}

import type { LayerIntegerLengths } from './integer-lengths.js';
import type { Part } from './modes/index.js';
import type { BatchScores, NetScores, OutputDescription } from './running-scores.js';

/** Names one evaluation of a search: which part of the net is quantised, and to how many bits. */
export interface EvaluationId {
  part: Part | 'calibration';
  bitWidth: number | null;
}

/** What a search tells while it works. */
export type QuantizeEvent =
  | { kind: 'warning'; message: string }
  /** Evaluations that now run together; parts that are not among them have ended, but for 'combined'. */
  | { kind: 'round'; evaluations: EvaluationId[]; iterations: number }
  | {
      kind: 'batch';
      evaluation: EvaluationId;
      batch: number;
      iterations: number;
      outputs: OutputDescription[];
      scores: BatchScores;
    }
  /** One evaluation has ended. `reused`: its scores were known, from the journal or from an identical net. */
  | {
      kind: 'scored';
      evaluation: EvaluationId;
      iterations: number;
      scores: NetScores;
      score: number;
      reused: boolean;
    }
  | { kind: 'integerLengths'; integerLengths: LayerIntegerLengths[] };

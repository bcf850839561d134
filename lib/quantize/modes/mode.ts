import type { NetParameter } from '../../proto/index.js';
import type { LayerIntegerLengths, LayerRange } from '../integer-lengths.js';
import type { LadderStep } from '../ladder.js';

export type TrimmingMode = 'dynamic_fixed_point' | 'minifloat' | 'integer_power_of_2_weights';

/** The part of a net that a candidate quantises; also the order in which the original reports them. */
export const PARTS = ['baseline', 'convWeights', 'fcWeights', 'activations', 'ladder', 'combined'] as const;
export type Part = (typeof PARTS)[number];

/** A net whose score a search wants. */
export interface Candidate {
  part: Part;
  /** Null for the float net. */
  bitWidth: number | null;
  net: NetParameter;
}

/** What a mode works from. */
export interface ModeInput {
  net: NetParameter;
  /** Absent where integer lengths were given instead of a calibration. */
  ranges: readonly LayerRange[] | null;
  integerLengths: readonly LayerIntegerLengths[];
  /** Allowed loss of score, in per cent. */
  errorMargin: number;
  /** Takes a sentence for the user. */
  warn(message: string): void;
}

/** What a mode found. */
export interface ModeOutcome {
  baseline: number;
  /** The steps of every ladder that was walked. */
  ladders: Partial<Record<Part, readonly LadderStep[]>>;
  /** The width of each part that the written net has; 32 where no step passed. */
  chosen: Partial<Record<Part, number>>;
  /** The net to write, in which every choice is applied. */
  net: NetParameter;
  /** Its score. */
  combined: number;
  exponentBits?: number;
}

/**
 * One trimming mode's policy, free of input, output and evaluation: it yields rounds of candidates, which may
 * be scored together, and is given their scores in the same order.
 */
export type Search = Generator<Candidate[], ModeOutcome, readonly number[]>;

export type Mode = (input: ModeInput) => Search;

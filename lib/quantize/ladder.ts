/** The widths that the original tries for each part of a net, in this order. */
export const LADDER_WIDTHS: readonly number[] = [16, 8, 4, 2, 1];

/** What stands for "not quantised" in the original: the width that is written where no step passed. */
export const FALLBACK_WIDTH = 32;

/** One rung that was scored. */
export interface LadderStep {
  bitWidth: number;
  score: number;
  passed: boolean;
}

/**
 * Walks one part of a net down a list of widths: a step is tried only after the one above it passed, and the
 * first that fails ends the walk. Knows no net; it is told scores.
 */
export class Ladder {
  readonly steps: LadderStep[] = [];

  constructor(readonly widths: readonly number[] = LADDER_WIDTHS) {}

  /** The width to score next; null when the walk is over. */
  get next(): number | null {
    const last = this.steps.at(-1);
    if (last && !last.passed) return null;
    return this.widths[this.steps.length] ?? null;
  }

  /** Takes the score of `next`. */
  accept(score: number, passed: boolean): void {
    const bitWidth = this.next;
    if (bitWidth === null) throw new Error('the ladder has ended');
    this.steps.push({ bitWidth, score, passed });
  }

  /** The last width that passed; 32 where none did. */
  get chosen(): number {
    return this.steps.findLast((step) => step.passed)?.bitWidth ?? FALLBACK_WIDTH;
  }
}

/**
 * Whether a score is within the margin of the baseline, in the original's form: both are float32 values, the
 * margin (in per cent) is added as a double. A score that is not a number is not within it.
 */
export function withinMargin(score: number, baseline: number, errorMargin: number): boolean {
  return score + errorMargin / 100 >= baseline;
}

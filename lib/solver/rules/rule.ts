import type { SolverParameter } from '../../proto/index.js';
import type { Step } from '../program.js';

/** What one step of a rule depends on. */
export interface UpdateState {
  /** The learning rate of this iteration times the parameter's multiplier. */
  rate: number;
  /** Updates that were made before this one. */
  iteration: number;
  param: SolverParameter;
}

/** How a gradient becomes the step that is subtracted from a parameter. */
export interface UpdateRule {
  /** Arrays of a parameter's shape that the rule keeps between updates, zeros at the start. */
  readonly histories: 1 | 2;
  /** Raises a message for settings that the rule cannot work with. */
  check?(param: SolverParameter): string | null;
  /** Replaces `gradient` (summed, normalised, decayed) by the step, and updates the histories. */
  steps(state: UpdateState): Step[];
}

/** For the rules that define none: a momentum in the prototxt is a mistake. */
export function refuseMomentum(type: string): NonNullable<UpdateRule['check']> {
  return ({ momentum }) => (momentum === 0 ? null : `${type} takes no momentum`);
}

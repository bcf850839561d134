import type { Step } from '../program.js';
import type { UpdateRule, UpdateState } from './rule.js';

/** history = momentum * history + rate * gradient */
export function accumulate({ rate, param }: UpdateState): Step[] {
  return [
    ['multiply', 'history', 'history', param.momentum],
    ['multiply', 'a', 'gradient', rate],
    ['add', 'history', 'history', 'a'],
  ];
}

/** Stochastic gradient descent with momentum. */
export const sgd: UpdateRule = {
  histories: 1,
  steps: (state) => [...accumulate(state), ['copy', 'gradient', 'history']],
};

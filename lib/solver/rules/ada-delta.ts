import type { UpdateRule } from './rule.js';

/** Steps in the unit of the parameter: running means of the squares of gradients and of steps. */
export const adaDelta: UpdateRule = {
  histories: 2,
  steps: ({ rate, param: { momentum, delta } }) => [
    ['multiply', 'a', 'gradient', 'gradient'],
    ['multiply', 'a', 'a', 1 - momentum],
    ['multiply', 'history', 'history', momentum],
    ['add', 'history', 'history', 'a'],
    // The second history still holds what came before this step.
    ['add', 'a', 'history2', delta],
    ['add', 'b', 'history', delta],
    ['divide', 'a', 'a', 'b'],
    ['squareRoot', 'a', 'a'],
    ['multiply', 'gradient', 'gradient', 'a'],
    ['multiply', 'a', 'gradient', 'gradient'],
    ['multiply', 'a', 'a', 1 - momentum],
    ['multiply', 'history2', 'history2', momentum],
    ['add', 'history2', 'history2', 'a'],
    ['multiply', 'gradient', 'gradient', rate],
  ],
};

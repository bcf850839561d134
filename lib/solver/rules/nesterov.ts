import type { UpdateRule } from './rule.js';
import { accumulate } from './sgd.js';

/** Nesterov's accelerated gradient: a step ahead along the new momentum, less the old one's. */
export const nesterov: UpdateRule = {
  histories: 1,
  steps: (state) => [
    ['multiply', 'b', 'history', state.param.momentum],
    ...accumulate(state),
    ['multiply', 'gradient', 'history', 1 + state.param.momentum],
    ['subtract', 'gradient', 'gradient', 'b'],
  ],
};

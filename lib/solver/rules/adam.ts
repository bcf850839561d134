import type { UpdateRule } from './rule.js';

/** Running means of gradients and of their squares, both corrected for their start from zero. */
export const adam: UpdateRule = {
  histories: 2,
  steps: ({ rate, iteration, param: { momentum, momentum2, delta } }) => {
    const t = iteration + 1;
    const correction = Math.sqrt(1 - momentum2 ** t) / (1 - momentum ** t);
    return [
      ['multiply', 'a', 'gradient', 1 - momentum],
      ['multiply', 'history', 'history', momentum],
      ['add', 'history', 'history', 'a'],
      ['multiply', 'a', 'gradient', 'gradient'],
      ['multiply', 'a', 'a', 1 - momentum2],
      ['multiply', 'history2', 'history2', momentum2],
      ['add', 'history2', 'history2', 'a'],
      ['squareRoot', 'a', 'history2'],
      ['add', 'a', 'a', delta],
      ['divide', 'a', 'history', 'a'],
      ['multiply', 'gradient', 'a', rate * correction],
    ];
  },
};

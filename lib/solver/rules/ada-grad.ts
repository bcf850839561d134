import { refuseMomentum, type UpdateRule } from './rule.js';

/** Divides by the root of all squares so far. */
export const adaGrad: UpdateRule = {
  histories: 1,
  check: refuseMomentum('AdaGrad'),
  steps: ({ rate, param }) => [
    ['multiply', 'a', 'gradient', 'gradient'],
    ['add', 'history', 'history', 'a'],
    ['squareRoot', 'a', 'history'],
    ['add', 'a', 'a', param.delta],
    ['divide', 'a', 'gradient', 'a'],
    ['multiply', 'gradient', 'a', rate],
  ],
};

import { refuseMomentum, type UpdateRule } from './rule.js';

/** Divides by the root of a running mean of squares. */
export const rmsProp: UpdateRule = {
  histories: 1,
  check: (param) =>
    param.rms_decay >= 0 && param.rms_decay < 1
      ? refuseMomentum('RMSProp')(param)
      : `rms_decay ${param.rms_decay} is not in [0, 1)`,
  steps: ({ rate, param }) => [
    ['multiply', 'a', 'gradient', 'gradient'],
    ['multiply', 'a', 'a', 1 - param.rms_decay],
    ['multiply', 'history', 'history', param.rms_decay],
    ['add', 'history', 'history', 'a'],
    ['squareRoot', 'a', 'history'],
    ['add', 'a', 'a', param.delta],
    ['divide', 'a', 'gradient', 'a'],
    ['multiply', 'gradient', 'a', rate],
  ],
};

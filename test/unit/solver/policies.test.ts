// Learning-rate policies against their closed forms.
import { describe, expect, it } from 'vitest';
import { create, type SolverParameter } from '../../../lib/proto/index.js';
import { checkPolicy, currentStep, learningRate } from '../../../lib/solver/policies/index.js';
import { multistepCount } from '../../../lib/solver/policies/multistep.js';

const solver = (fields: Partial<SolverParameter>): SolverParameter =>
  create('SolverParameter', { base_lr: 0.5, max_iter: 10, gamma: 0.25, power: 2, stepsize: 3, ...fields });

const rates = (param: SolverParameter, count: number, warmup = 0) =>
  Array.from({ length: count }, (_, i) => learningRate(param, i, warmup));

describe('learning rates', () => {
  it('follow the policies of the original', () => {
    expect(rates(solver({ lr_policy: 'fixed' }), 3)).toEqual([0.5, 0.5, 0.5]);
    expect(rates(solver({ lr_policy: 'step' }), 7)).toEqual([0.5, 0.5, 0.5, 0.125, 0.125, 0.125, 0.03125]);
    expect(rates(solver({ lr_policy: 'exp' }), 3)).toEqual([0.5, 0.125, 0.03125]);
    expect(learningRate(solver({ lr_policy: 'inv' }), 4)).toBeCloseTo(0.5 / 4, 15);
    expect(learningRate(solver({ lr_policy: 'poly' }), 4)).toBeCloseTo(0.5 * 0.36, 15);
    expect(learningRate(solver({ lr_policy: 'sigmoid' }), 3)).toBe(0.25);
    expect(learningRate(solver({ lr_policy: 'sigmoid' }), 7)).toBeCloseTo(0.5 / (1 + Math.exp(-1)), 15);
    const multistep = solver({ lr_policy: 'multistep', stepvalue: [1, 3] });
    expect(rates(multistep, 5)).toEqual([0.5, 0.125, 0.125, 0.03125, 0.03125]);
  });

  it('fall along half a cosine', () => {
    const param = solver({ lr_policy: 'cosine' });
    expect(learningRate(param, 0)).toBe(0.5);
    expect(learningRate(param, 5)).toBeCloseTo(0.25, 15);
    expect(learningRate(param, 10)).toBe(0);
    expect(learningRate(param, 12)).toBe(0);
  });

  it('rise in equal steps at first, whatever the policy', () => {
    expect(rates(solver({ lr_policy: 'fixed' }), 6, 4)).toEqual(
      [0.2, 0.4, 0.6, 0.8, 1, 1].map((share) => share * 0.5),
    );
    const step = solver({ lr_policy: 'step' });
    expect(learningRate(step, 3, 4)).toBeCloseTo(0.125 * 0.8, 15);
    expect(learningRate(step, 4, 4)).toBe(0.125);
  });

  it('count steps as snapshots store them', () => {
    expect(currentStep(solver({ lr_policy: 'step' }), 8)).toBe(2);
    expect(currentStep(solver({ lr_policy: 'multistep', stepvalue: [1, 3] }), 2)).toBe(1);
    expect(currentStep(solver({ lr_policy: 'poly' }), 8)).toBe(0);
    // One an iteration at most, in the order given.
    expect(Array.from({ length: 6 }, (_, i) => multistepCount([3, 2, 2], i))).toEqual([0, 0, 0, 1, 2, 3]);
  });

  it('refuse what they cannot work with', () => {
    expect(() => checkPolicy(solver({ lr_policy: 'setp' }))).toThrow(
      "lr_policy: there is no learning-rate policy 'setp'",
    );
    expect(() => checkPolicy(solver({ lr_policy: 'toString' }))).toThrow('lr_policy');
    expect(() => checkPolicy(solver({ lr_policy: 'step', stepsize: 0 }))).toThrow(
      'stepsize: must be positive',
    );
    expect(() => checkPolicy(solver({ lr_policy: 'poly', max_iter: 0 }))).toThrow('max_iter');
  });
});

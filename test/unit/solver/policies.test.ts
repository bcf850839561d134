// Learning-rate policies against their closed forms.
import { describe, expect, it } from 'vitest';
import { formatG } from '../../../lib/cli/format-number.js';
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
    expect(learningRate(solver({ lr_policy: 'poly' }), 4)).toBeCloseTo(0.5 * 0.36, 7);
    expect(learningRate(solver({ lr_policy: 'sigmoid' }), 3)).toBe(0.25);
    expect(learningRate(solver({ lr_policy: 'sigmoid' }), 7)).toBeCloseTo(0.5 / (1 + Math.exp(-1)), 7);
    const multistep = solver({ lr_policy: 'multistep', stepvalue: [1, 3] });
    expect(rates(multistep, 5)).toEqual([0.5, 0.125, 0.125, 0.03125, 0.03125]);
  });

  // What a C++ program with the original's types prints (GCC 12, glibc): settings that doubles get wrong by a digit.
  it.each([
    ['step', { base_lr: 0.1, gamma: 0.96, stepsize: 1 }, 4, '0.0849347'],
    ['step', { base_lr: 0.01, gamma: 0.316, stepsize: 1 }, 6, '9.95687e-06'],
    ['step', { base_lr: 0.1, gamma: 0.96, stepsize: 7 }, 75, '0.0664833'],
    ['step', { base_lr: 0.0025, gamma: 0.316, stepsize: 3 }, 9, '7.88863e-05'],
    ['step', { base_lr: 0.001, gamma: 0.96, stepsize: 1 }, 70, '5.74098e-05'],
    ['exp', { base_lr: 0.3, gamma: 0.95 }, 3, '0.257212'],
    ['exp', { base_lr: 0.1, gamma: 0.99 }, 57, '0.0563905'],
    ['exp', { base_lr: 0.0005, gamma: 0.95 }, 3, '0.000428687'],
    ['exp', { base_lr: 0.1, gamma: 0.999 }, 32, '0.0968492'],
    ['exp', { base_lr: 0.01, gamma: 0.999 }, 23, '0.00977251'],
    ['inv', { base_lr: 0.1, gamma: 0.1, power: 3 }, 4, '0.0364432'],
    ['inv', { base_lr: 0.04, gamma: 1, power: 2 }, 6, '0.000816326'],
    ['inv', { base_lr: 0.007, gamma: 1, power: 3 }, 8, '9.60219e-06'],
    ['inv', { base_lr: 0.04, gamma: 1, power: 0.9 }, 5, '0.00797488'],
    ['inv', { base_lr: 0.01, gamma: 0.0001, power: 1 }, 72, '0.00992852'],
    ['multistep', { base_lr: 0.1, gamma: 0.316, stepvalue: [1, 2, 3, 4, 5, 6] }, 6, '9.95686e-05'],
    ['multistep', { base_lr: 0.01, gamma: 0.316, stepvalue: [1, 2, 3, 4, 5, 6] }, 8, '9.95687e-06'],
    ['multistep', { base_lr: 0.0025, gamma: 0.316, stepvalue: [2, 4, 6] }, 7, '7.88863e-05'],
    ['poly', { base_lr: 0.0025, power: 1, max_iter: 30 }, 29, '8.33334e-05'],
    ['poly', { base_lr: 0.3, power: 3, max_iter: 7 }, 6, '0.000874635'],
    ['poly', { base_lr: 0.04, power: 2, max_iter: 7 }, 6, '0.000816326'],
    ['poly', { base_lr: 0.3, power: 4, max_iter: 12 }, 4, '0.0592592'],
    ['poly', { base_lr: 0.008, power: 4, max_iter: 7 }, 6, '3.33194e-06'],
    ['poly', { base_lr: 0.01, power: 3, max_iter: 33 }, 30, '7.51314e-06'],
    ['sigmoid', { base_lr: 0.1, gamma: 0.1, stepsize: 1 }, 9, '0.0689975'],
    ['sigmoid', { base_lr: 0.008, gamma: 0.1, stepsize: 1 }, 6, '0.00497968'],
    ['sigmoid', { base_lr: 0.1, gamma: -0.01, stepsize: 3 }, 9, '0.0485004'],
    ['sigmoid', { base_lr: 0.001, gamma: -0.01, stepsize: 1 }, 920, '1.02045e-07'],
  ] as const)(
    'are floats, digit for digit: %s %j at iteration %i',
    (lr_policy, fields, iteration, printed) => {
      const param = solver({ lr_policy, ...fields } as Partial<SolverParameter>);
      expect(formatG(learningRate(param, iteration))).toBe(printed);
    },
  );

  it('fall along half a cosine', () => {
    const param = solver({ lr_policy: 'cosine' });
    expect(learningRate(param, 0)).toBe(0.5);
    expect(learningRate(param, 5)).toBeCloseTo(0.25, 15);
    expect(learningRate(param, 10)).toBe(0);
    expect(learningRate(param, 12)).toBe(0);
  });

  it('rise in equal steps at first, whatever the policy', () => {
    expect(rates(solver({ lr_policy: 'fixed' }), 6, 4)).toEqual(
      [0.2, 0.4, 0.6, 0.8, 1, 1].map((share) => Math.fround(share * 0.5)),
    );
    const step = solver({ lr_policy: 'step' });
    expect(learningRate(step, 3, 4)).toBe(Math.fround(0.125 * 0.8));
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

import { RistrettoError } from '../../errors/index.js';
import type { SolverParameter } from '../../proto/index.js';
import { messageKind } from '../../proto/message.js';
import { checkArgument, required, whole } from '../../util/check-options.js';
import { multistepCount } from './multistep.js';

/** How the learning rate follows from the iteration. Factors are on `base_lr`. */
interface Policy {
  /** Fields that must be positive. */
  readonly needs: readonly ('stepsize' | 'max_iter')[];
  factor(param: SolverParameter, iteration: number): number;
}

/**
 * Rounds to float32. The original computes rates in float, with one exception that its C++ types make: a power
 * with a whole exponent (step, exp, multistep) is a double, and rounded only with `base_lr` on it. Half a unit in
 * 1 - iteration / max_iter is seen in the digits that are printed.
 */
const f = Math.fround;

/** A power of floats, as a float. */
const power = (base: number, exponent: number) => f(f(base) ** f(exponent));

/** Share of the run that is over. */
const done = ({ max_iter }: SolverParameter, iteration: number) => Math.min(1, f(f(iteration) / f(max_iter)));

/** Learning-rate policies by `lr_policy`. All are the original's but `cosine`. */
export const policies: Readonly<Record<string, Policy>> = {
  fixed: { needs: [], factor: () => 1 },
  step: { needs: ['stepsize'], factor: (p, i) => f(p.gamma) ** Math.floor(i / p.stepsize) },
  exp: { needs: [], factor: (p, i) => f(p.gamma) ** i },
  inv: { needs: [], factor: (p, i) => power(1 + f(f(p.gamma) * f(i)), -p.power) },
  multistep: { needs: [], factor: (p, i) => f(p.gamma) ** multistepCount(p.stepvalue, i) },
  poly: { needs: ['max_iter'], factor: (p, i) => power(1 - done(p, i), p.power) },
  // Rises with the iterations for a positive gamma, as the original's does.
  sigmoid: {
    needs: [],
    factor: (p, i) => f(1 / f(1 + f(Math.exp(f(-f(p.gamma) * f(f(i) - f(p.stepsize))))))),
  },
  cosine: { needs: ['max_iter'], factor: (p, i) => (1 + Math.cos(Math.PI * done(p, i))) / 2 },
};

/** Raises an error for a policy that is unknown or lacks what it needs. */
export function checkPolicy(param: SolverParameter): void {
  const policy = Object.hasOwn(policies, param.lr_policy) ? policies[param.lr_policy] : undefined;
  if (!policy)
    throw new RistrettoError(
      `there is no learning-rate policy '${param.lr_policy}'; there are ${Object.keys(policies).join(', ')}`,
      { field: 'lr_policy' },
    );
  for (const field of policy.needs)
    if (!(param[field] > 0))
      throw new RistrettoError(`must be positive for lr_policy '${param.lr_policy}'`, { field });
}

/**
 * The learning rate of an iteration (counted from 0), a float32. During the first `warmup` iterations the policy's rate is
 * reached in equal steps: the iteration before the first one would have 0.
 */
export function learningRate(param: SolverParameter, iteration: number, warmup = 0): number {
  checkArgument('learningRate', 'param', param, required(messageKind('SolverParameter')));
  checkArgument('learningRate', 'iteration', iteration, required(whole(0)));
  checkPolicy(param);
  const rate = f(f(param.base_lr) * policies[param.lr_policy].factor(param, iteration));
  return iteration < warmup ? f((rate * (iteration + 1)) / (warmup + 1)) : rate;
}

/** Steps that the rate has gone down, as snapshots of the original store it. */
export function currentStep(param: SolverParameter, iteration: number): number {
  if (param.lr_policy === 'step') return Math.floor(iteration / param.stepsize);
  return param.lr_policy === 'multistep' ? multistepCount(param.stepvalue, iteration) : 0;
}

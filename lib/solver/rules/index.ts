import { RistrettoError } from '../../errors/index.js';
import type { SolverParameter } from '../../proto/index.js';
import { adaDelta } from './ada-delta.js';
import { adaGrad } from './ada-grad.js';
import { adam } from './adam.js';
import { nesterov } from './nesterov.js';
import { rmsProp } from './rms-prop.js';
import type { UpdateRule } from './rule.js';
import { sgd } from './sgd.js';

export type { UpdateRule, UpdateState } from './rule.js';

/** Update rules by `type` in a solver's prototxt. */
export const rules: Readonly<Record<string, UpdateRule>> = {
  SGD: sgd,
  Nesterov: nesterov,
  AdaGrad: adaGrad,
  RMSProp: rmsProp,
  AdaDelta: adaDelta,
  Adam: adam,
};

/** The rule that a solver asks for; an error for an unknown one or settings that do not go with it. */
export function ruleFor(param: SolverParameter): UpdateRule {
  const rule = Object.hasOwn(rules, param.type) ? rules[param.type] : undefined;
  if (!rule)
    throw new RistrettoError(
      `there is no solver '${param.type}'; there are ${Object.keys(rules).join(', ')}`,
      {
        field: 'type',
      },
    );
  const reason = rule.check?.(param);
  if (reason) throw new RistrettoError(reason, { field: 'type' });
  return rule;
}

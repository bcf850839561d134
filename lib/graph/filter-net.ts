import { NetError } from '../errors/index.js';
import {
  create,
  has,
  type LayerParameter,
  type NetParameter,
  type NetStateRule,
  type Phase,
} from '../proto/index.js';
import { messageKind } from '../proto/message.js';
import { checkArgument, having, required } from '../util/check-options.js';

/** What the include and exclude rules of layers are held against. */
export interface NetStateValues {
  phase: Phase;
  level: number;
  stage: readonly string[];
}

/** The same net with other layers; messages are shared, not copied. */
export function withLayers(param: NetParameter, layer: readonly LayerParameter[]): NetParameter {
  return create('NetParameter', { ...param, layer });
}

/** Whether a state meets every condition that a rule sets. */
export function meetsRule(state: NetStateValues, rule: NetStateRule): boolean {
  return (
    !(has(rule, 'phase') && rule.phase !== state.phase) &&
    !(has(rule, 'min_level') && state.level < rule.min_level) &&
    !(has(rule, 'max_level') && state.level > rule.max_level) &&
    rule.stage.every((stage) => state.stage.includes(stage)) &&
    !rule.not_stage.some((stage) => state.stage.includes(stage))
  );
}

/** The layers that belong to a state: included by one of their rules, or excluded by none. */
export function filterNet(param: NetParameter, state: NetStateValues): NetParameter {
  checkArgument('filterNet', 'param', param, required(messageKind('NetParameter')));
  checkArgument(
    'filterNet',
    'state',
    state,
    required(having('{ phase, level, stage }', 'phase', 'level', 'stage')),
  );
  return withLayers(
    param,
    param.layer.filter((layer) => {
      if (layer.include.length && layer.exclude.length)
        throw new NetError('takes either include or exclude rules, not both', {
          layer: layer.name,
          field: 'include',
        });
      return layer.include.length
        ? layer.include.some((rule) => meetsRule(state, rule))
        : !layer.exclude.some((rule) => meetsRule(state, rule));
    }),
  );
}

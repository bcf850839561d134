import { describe, expect, it } from 'vitest';
import { filterNet, meetsRule } from '../../../lib/graph/index.js';
import { create, parseText, Phase } from '../../../lib/proto/index.js';

const names = (text: string, state = { phase: Phase.TEST as Phase, level: 0, stage: [] as string[] }) =>
  filterNet(parseText('NetParameter', text), state).layer.map((layer) => layer.name);

describe('filterNet', () => {
  const net = `
    layer { name: "always" type: "A" }
    layer { name: "train" type: "A" include { phase: TRAIN } }
    layer { name: "test" type: "A" include { phase: TEST } }
    layer { name: "not test" type: "A" exclude { phase: TEST } }
    layer { name: "either" type: "A" include { phase: TRAIN } include { stage: "deploy" } }
    layer { name: "open rule" type: "A" include { } }`;

  it('keeps what includes the state and drops what excludes it', () => {
    expect(names(net)).toEqual(['always', 'test', 'open rule']);
    expect(names(net, { phase: Phase.TRAIN, level: 0, stage: [] })).toEqual([
      'always',
      'train',
      'not test',
      'either',
      'open rule',
    ]);
    expect(names(net, { phase: Phase.TEST, level: 0, stage: ['deploy'] })).toContain('either');
  });

  it('leaves the given net as it is', () => {
    const param = parseText('NetParameter', net);
    filterNet(param, { phase: Phase.TEST, level: 0, stage: [] });
    expect(param.layer).toHaveLength(6);
  });

  it('refuses include beside exclude', () => {
    expect(() => names('layer { name: "x" type: "A" include { } exclude { } }')).toThrow(
      /layer 'x'.*not both/,
    );
  });
});

describe('meetsRule', () => {
  const state = { phase: Phase.TEST, level: 3, stage: ['a', 'b'] };
  it.each([
    [{}, true],
    [{ phase: Phase.TEST }, true],
    [{ phase: Phase.TRAIN }, false],
    [{ min_level: 3 }, true],
    [{ min_level: 4 }, false],
    [{ max_level: 3 }, true],
    [{ max_level: 2 }, false],
    [{ max_level: 0 }, false],
    [{ stage: ['a'] }, true],
    [{ stage: ['a', 'b'] }, true],
    [{ stage: ['a', 'c'] }, false],
    [{ not_stage: ['c'] }, true],
    [{ not_stage: ['c', 'b'] }, false],
    [{ phase: Phase.TEST, min_level: 1, stage: ['a'], not_stage: ['b'] }, false],
  ])('%j: %s', (rule, met) => {
    expect(meetsRule(state, create('NetStateRule', rule))).toBe(met);
  });
});

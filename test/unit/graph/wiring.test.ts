import { describe, expect, it } from 'vitest';
import { checkWiring } from '../../../lib/graph/index.js';
import { parseText } from '../../../lib/proto/index.js';

const check = (text: string) => () => checkWiring(parseText('NetParameter', text).layer);
const input = 'layer { name: "data" type: "Input" top: "data" }';

describe('checkWiring', () => {
  it('accepts a sound net', () => {
    check(`${input}
      layer { name: "a" type: "A" bottom: "data" top: "a" }
      layer { name: "r" type: "R" bottom: "a" top: "a" }
      layer { name: "b" type: "B" bottom: "a" bottom: "data" top: "b" }`)();
  });

  it('names a missing bottom, its layer, what is known and what was meant', () => {
    expect(check(`${input} layer { name: "c" type: "C" bottom: "dta" top: "c" }`)).toThrow(
      /layer 'c': bottom 'dta'.*known here are 'data'; did you mean 'data'\?/,
    );
  });

  it('tells an order from a cycle', () => {
    expect(
      check(`${input}
        layer { name: "late" type: "A" bottom: "x" top: "y" }
        layer { name: "early" type: "A" bottom: "data" top: "x" }`),
    ).toThrow(/layer 'late': bottom 'x'.*'early'.*move that one up/);
    expect(
      check(`${input}
        layer { name: "a" type: "A" bottom: "data" bottom: "c" top: "a" }
        layer { name: "b" type: "A" bottom: "a" top: "b" }
        layer { name: "c" type: "A" bottom: "b" top: "c" }`),
    ).toThrow(/cycle: 'a' -> 'b' -> 'c' -> 'a'/);
    expect(check('layer { name: "self" type: "A" bottom: "x" top: "x" }')).toThrow(
      /cycle: 'self' reads its own/,
    );
  });

  it('refuses two producers of one blob', () => {
    expect(
      check(`${input}
        layer { name: "a" type: "A" bottom: "data" top: "x" }
        layer { name: "b" type: "A" bottom: "data" top: "x" }`),
    ).toThrow(/layer 'b': top 'x'.*'a' produces it already/);
    expect(check('layer { name: "a" type: "A" top: "x" top: "x" }')).toThrow(/named twice/);
  });

  it('refuses to overwrite what another layer reads', () => {
    expect(
      check(`${input}
        layer { name: "a" type: "A" bottom: "data" top: "a" }
        layer { name: "r" type: "R" bottom: "data" top: "data" }`),
    ).toThrow(/layer 'r': top 'data'.*layer 'a' reads the blob too/);
  });

  it('wants as many loss weights as tops, propagate_down as bottoms', () => {
    expect(check('layer { name: "a" type: "A" top: "x" loss_weight: 1 loss_weight: 1 }')).toThrow(
      /loss_weight/,
    );
    expect(
      check(
        `${input} layer { name: "a" type: "A" bottom: "data" propagate_down: true propagate_down: true }`,
      ),
    ).toThrow(/propagate_down/);
  });

  it('stays fast on a long chain', () => {
    const layers = [input];
    for (let i = 0; i < 20000; i++)
      layers.push(`layer { name: "l${i}" type: "A" bottom: "${i ? `b${i - 1}` : 'data'}" top: "b${i}" }`);
    const param = parseText('NetParameter', layers.join('\n'));
    const start = performance.now();
    checkWiring(param.layer);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

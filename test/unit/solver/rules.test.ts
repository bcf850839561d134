// Update rules, decay, normalisation and clipping against plain implementations in double precision.
import { describe, expect, it } from 'vitest';
import { Net } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import { create, parseText, Phase, type SolverParameter } from '../../../lib/proto/index.js';
import { Updater } from '../../../lib/solver/update.js';

type Plain = (g: number, h: number[], rate: number, t: number, p: SolverParameter) => number;

/** One step of each rule for one number; `h` are its histories. */
const plain: Record<string, Plain> = {
  SGD: (g, h, rate, _t, p) => (h[0] = p.momentum * h[0] + rate * g),
  Nesterov(g, h, rate, _t, p) {
    const before = h[0];
    h[0] = p.momentum * h[0] + rate * g;
    return (1 + p.momentum) * h[0] - p.momentum * before;
  },
  AdaGrad(g, h, rate, _t, p) {
    h[0] += g * g;
    return (rate * g) / (Math.sqrt(h[0]) + p.delta);
  },
  RMSProp(g, h, rate, _t, p) {
    h[0] = p.rms_decay * h[0] + (1 - p.rms_decay) * g * g;
    return (rate * g) / (Math.sqrt(h[0]) + p.delta);
  },
  AdaDelta(g, h, rate, _t, p) {
    h[0] = p.momentum * h[0] + (1 - p.momentum) * g * g;
    const step = g * Math.sqrt((h[1] + p.delta) / (h[0] + p.delta));
    h[1] = p.momentum * h[1] + (1 - p.momentum) * step * step;
    return rate * step;
  },
  Adam(g, h, rate, t, p) {
    h[0] = p.momentum * h[0] + (1 - p.momentum) * g;
    h[1] = p.momentum2 * h[1] + (1 - p.momentum2) * g * g;
    const correction = Math.sqrt(1 - p.momentum2 ** t) / (1 - p.momentum ** t);
    return (rate * correction * h[0]) / (Math.sqrt(h[1]) + p.delta);
  },
};

/** Numbers that repeat with the seed. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return Math.fround((state / 2 ** 31 - 1) * 2);
  });
}

const prototxt = `
  layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
          param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
          inner_product_param { num_output: 5 } }
  layer { name: "frozen" type: "InnerProduct" bottom: "y" top: "z"
          param { lr_mult: 0 } param { lr_mult: 0 } inner_product_param { num_output: 2 } }
  layer { name: "loss" type: "Reduction" bottom: "z" top: "l" loss_weight: 1 }`;

async function makeNet(): Promise<Net> {
  return Net.create({
    param: parseText('NetParameter', prototxt),
    registry,
    phase: Phase.TRAIN,
    backward: true,
    threads: 1,
  });
}

const solver = (fields: Partial<SolverParameter>) =>
  create('SolverParameter', { base_lr: 0.1, lr_policy: 'fixed', ...fields });

const settings: [string, Partial<SolverParameter>][] = [
  ['SGD', { momentum: 0.9 }],
  ['SGD', {}],
  ['Nesterov', { momentum: 0.95 }],
  ['AdaGrad', { delta: 1e-6 }],
  ['RMSProp', { rms_decay: 0.98, delta: 1e-6 }],
  ['AdaDelta', { momentum: 0.95, delta: 1e-6 }],
  ['Adam', { momentum: 0.9, momentum2: 0.999, delta: 1e-8 }],
];

const surroundings: Partial<SolverParameter>[] = [
  {},
  { weight_decay: 0.05 },
  { weight_decay: 0.05, regularization_type: 'L1', iter_size: 3 },
  { clip_gradients: 2.5, iter_size: 2, weight_decay: 0.01 },
];

describe('update rules', () => {
  for (const [type, fields] of settings)
    for (const around of surroundings)
      it(`${type} ${JSON.stringify({ ...fields, ...around })}`, async () => {
        const net = await makeNet();
        const param = solver({ type, ...fields, ...around });
        const updater = new Updater(net, param);
        const learned = net.params.slice(0, 2);
        for (const [i, { blob }] of net.params.entries()) blob.set(numbers(blob.count, i + 1));
        const frozen = net.params[2].blob.toArray();
        const values = learned.map(({ blob }) => [...blob.data]);
        const histories = learned.map(({ blob }) => Array.from({ length: blob.count }, () => [0, 0]));
        for (let t = 0; t < 4; t++) {
          const gradients = learned.map(({ blob }, i) => numbers(blob.count, 100 + 10 * t + i));
          learned.forEach(({ blob }, i) => blob.diff.set(gradients[i]));
          const norm = Math.sqrt(gradients.flat().reduce((sum, g) => sum + g * g, 0));
          const clip =
            param.clip_gradients > 0 && norm > param.clip_gradients ? param.clip_gradients / norm : 1;
          const clipping = await updater.apply(0.1, t);
          expect(clipping?.norm ?? null).toEqual(clip < 1 ? expect.closeTo(norm, 10) : null);
          for (const [i, { blob }] of learned.entries()) {
            const [lrMult, decayMult] = [
              [1, 1],
              [2, 0],
            ][i];
            for (let e = 0; e < blob.count; e++) {
              const w = values[i][e];
              const decay = param.weight_decay * decayMult;
              const pull = param.regularization_type === 'L1' ? Math.sign(w) : w;
              const g = (gradients[i][e] * clip) / param.iter_size + decay * pull;
              const step = plain[type](g, histories[i][e], 0.1 * lrMult, t + 1, param);
              values[i][e] = w - step;
              expect(blob.diff[e]).toBeCloseTo(step, 5);
              expect(blob.data[e]).toBeCloseTo(values[i][e], 5);
            }
          }
        }
        expect(net.params[2].blob.toArray()).toEqual(frozen);
        expect(updater.histories.length).toBe(['AdaDelta', 'Adam'].includes(type) ? 8 : 4);
        const kept = histories[0].map((h) => h[0]);
        updater.histories[0].data.forEach((h, e) => expect(h).toBeCloseTo(kept[e], 5));
        await net.close();
      });

  it('refuse settings that do not go together', async () => {
    const net = await makeNet();
    const make = (fields: Partial<SolverParameter>) => () => new Updater(net, solver(fields));
    expect(make({ type: 'AdaGrad', momentum: 0.9 })).toThrow('type: AdaGrad takes no momentum');
    expect(make({ type: 'RMSProp', momentum: 0.9 })).toThrow('type: RMSProp takes no momentum');
    expect(make({ type: 'RMSProp', rms_decay: 1 })).toThrow('rms_decay 1 is not in [0, 1)');
    expect(make({ type: 'Adm' })).toThrow("there is no solver 'Adm'; there are SGD, Nesterov");
    expect(make({ regularization_type: 'L3' })).toThrow('regularization_type');
    await net.close();
  });
});

// Results that are no finite numbers: they stay as they are, and one warning says where the first one came from.
import { beforeEach, describe, expect, it } from 'vitest';
import { registry } from '../../../lib/data/index.js';
import { createNet } from '../../../lib/engine/index.js';
import { FiniteCheck, Net } from '../../../lib/graph/index.js';
import { parseText, Phase, type NetParameter } from '../../../lib/proto/index.js';
import { score } from '../../../lib/quantize/index.js';
import { Solver } from '../../../lib/solver/index.js';
import { onWarning } from '../../../lib/util/warnings.js';
import { conv, input, parse } from '../engine/nets.js';

const warnings: string[] = [];
onWarning((message) => void warnings.push(message));
beforeEach(() => void (warnings.length = 0));

const text = `
  layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 } } }
  layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc"
    inner_product_param { num_output: 2 weight_filler { type: "constant" value: 1 } } }
  layer { name: "log" type: "Log" bottom: "fc" top: "log" }
  layer { name: "drop" type: "Dropout" bottom: "log" top: "log" }
  layer { name: "sum" type: "Reduction" bottom: "log" top: "y" }`;
const make = () => Net.create({ param: parseText('NetParameter', text), threads: 1, registry });

describe('whereNotFinite', () => {
  it('names the layer, the blob and the image', async () => {
    const net = await make();
    net.blob('x').set([1, 2, -3, 1]);
    await net.forward();
    const before = net.outputs[0].toArray();
    expect(await net.whereNotFinite()).toBe(
      "layer 'log' (Log) is the first to give a NaN, in blob 'log' (image 1 of the batch, from 0)",
    );
    net.blob('x').set([1, 2, -1, 1]);
    await net.forward();
    expect(await net.whereNotFinite()).toContain("layer 'log' (Log) is the first to give an infinity");
    expect(before).toEqual(Float32Array.of(NaN));
    net.blob('x').set([1, 2, 3, 1]);
    await net.forward();
    expect(await net.whereNotFinite()).toBe(null);
    await net.close();
  });

  it('names an input and a parameter before any layer', async () => {
    const net = await make();
    net.params[1].blob.set([0, Infinity]);
    await net.forward();
    expect(await net.whereNotFinite()).toBe("parameter 1 of layer 'fc' holds an infinity");
    net.blob('x').set([1, 2, 3, NaN]);
    await net.forward();
    expect(await net.whereNotFinite()).toBe("input 'x' holds a NaN (image 1 of the batch, from 0)");
    await net.close();
  });

  it('speaks for nets on codes too', async () => {
    const param = parse(
      input('x', 1, 2, 4, 4),
      conv('a', 'x', 2, 3),
      'layer { name: "l" type: "Log" bottom: "a" top: "l" }',
    );
    const net = await createNet('integer', { param, registry, threads: 1, seed: 1, phase: Phase.TEST });
    await net.forward();
    expect(await net.whereNotFinite()).toMatch(/^layer 'l' \(Log\) is the first to give an? (NaN|infinity)/);
    await net.close();
  });
});

it('is told once', async () => {
  const net = await make();
  net.blob('x').set([1, 2, -3, 1]);
  await net.forward();
  const check = new FiniteCheck();
  await check.look([1, 2], net, 'batch 0');
  expect(warnings).toEqual([]);
  for (const batch of [1, 2]) await check.look(net.outputs[0].toArray(), net, `batch ${batch}`);
  expect(warnings).toEqual([
    "batch 1 gives values that are not finite: layer 'log' (Log) is the first to give a NaN, in blob 'log' (image 1 of the batch, from 0)",
  ]);
  await net.close();
});

const data = (value: string) => `
  layer { name: "data" type: "DummyData" top: "x" top: "t" dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 dim: 3 }
    data_filler { type: "constant" value: ${value} } } }
  layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc" inner_product_param { num_output: 3 weight_filler { type: "constant" value: 1 } } }
  layer { name: "loss" type: "SigmoidCrossEntropyLoss" bottom: "fc" bottom: "t" top: "loss" }`;

it('scores are told with their batch, digits as they are', async () => {
  const model: NetParameter = parseText('NetParameter', data('nan'));
  const result = await score({ model, weights: model, iterations: 2, threads: 1, allowMissing: true });
  expect(result.means).toEqual(Float32Array.of(NaN));
  expect(warnings).toEqual([
    "batch 0 gives values that are not finite: input 'x' holds a NaN (image 0 of the batch, from 0)",
  ]);
});

it('a loss in training is told with its iteration, and changes nothing', async () => {
  const param = parseText(
    'SolverParameter',
    `net_param { ${data('3e38')} } base_lr: 1 lr_policy: "fixed" snapshot_after_train: false random_seed: 1`,
  );
  const solver = await Solver.create({ param, registry, threads: 1 });
  await solver.step(3);
  expect(solver.smoothedLoss).toBe(NaN);
  expect(warnings).toEqual([
    "iteration 0 gives values that are not finite: layer 'fc' (InnerProduct) is the first to give an infinity, in blob 'fc' (image 0 of the batch, from 0)",
  ]);
  await solver.close();
});

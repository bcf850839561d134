// Scores on several GPUs, that the host executor plays: those of one, in every bit.
import { beforeAll, expect, it } from 'vitest';
import type * as Ristretto from '../../../lib/index.js';

let lib: typeof Ristretto;
beforeAll(async () => {
  // Read when the addon is loaded, in this test's own process.
  process.env.RISTRETTO_EMULATED_GPU = '3';
  lib = await import('../../../lib/index.js');
});

const net = (rounding: string) => `
  layer { name: "data" type: "DummyData" top: "x" top: "y"
    dummy_data_param { shape { dim: 2 dim: 2 dim: 5 dim: 5 } shape { dim: 2 }
      data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 } } }
  layer { name: "conv" type: "ConvolutionRistretto" bottom: "x" top: "conv"
    quantization_param { bw_layer_in: 8 bw_layer_out: 8 bw_params: 8 fl_layer_in: 5 fl_layer_out: 5 fl_params: 7
      rounding_scheme: ${rounding} }
    convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
    inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "loss" }`;

const scoreOn = (text: string, gpus: number, more: Partial<Ristretto.ScoreOptions> = {}) =>
  lib.score({
    model: lib.parseText('NetParameter', text),
    weights: lib.parseText('NetParameter', ''),
    allowMissing: true,
    iterations: 7,
    seed: 5,
    threads: 1,
    devices: Array.from({ length: gpus }, (_, id) => new lib.Device(id)),
    ...more,
  });

it.each([
  ['NEAREST', 'integer', 2],
  ['NEAREST', 'simulate', 3],
  ['STOCHASTIC', 'simulate', 2],
  ['STOCHASTIC', 'simulate', 3],
] as const)('%s, engine %s, on %i', async (rounding, engine, gpus) => {
  const text = net(rounding);
  const order: number[] = [];
  const onBatch = (batch: number) => void order.push(batch);
  const alone = await scoreOn(text, 1, { engine });
  const several = await scoreOn(text, gpus, { engine, onBatch });
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(several.batches).toEqual(alone.batches);
  expect([several.means, several.loss]).toEqual([alone.means, alone.loss]);
  expect(new Set(alone.batches.map(({ loss }) => loss)).size).toBe(7);
});

it('says on which GPU a batch could not be scored', async () => {
  const failing = net('NEAREST').replace(
    'type: "constant" value: 1',
    // Classes are 0 to 3; of labels drawn up to 4.1 some are 4.
    'type: "uniform" min: 3.4 max: 4.1',
  );
  await expect(scoreOn(failing, 3, { iterations: 60, engine: 'simulate' })).rejects.toThrow(
    /GPU [012]: loss: a label is not a class/,
  );
});

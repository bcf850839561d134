// Training on several GPUs, that the host executor plays: it equals training on one with the whole batch.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type * as Ristretto from '../../../lib/index.js';

let lib: typeof Ristretto;
beforeAll(async () => {
  // Read when the addon is loaded, in this test's own process.
  process.env.RISTRETTO_EMULATED_GPU = '3';
  lib = await import('../../../lib/index.js');
});

const folder = mkdtempSync(join(tmpdir(), 'several-gpus-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open: Ristretto.Solver[] = [];
afterEach(async () => {
  for (const solver of open.splice(0)) await solver.close();
});

/** An input of `batch` images of random values, and targets of `channels` values. */
const data = (batch: number, shape: string, targets: string) => `
  layer { name: "data" type: "DummyData" top: "x" top: "y"
    dummy_data_param { shape { dim: ${batch} ${shape} } shape { dim: ${batch} ${targets} }
      data_filler { type: "gaussian" std: 1 } data_filler { type: "uniform" min: -1 max: 1 } } }`;

/** Products, elements that are dropped and windows that are drawn. */
const net = (batch: number) => `${data(batch, 'dim: 2 dim: 6 dim: 6', 'dim: 3')}
  layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
    convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
    pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 } }
  layer { name: "drop" type: "Dropout" bottom: "pool" top: "drop" dropout_param { dropout_ratio: 0.3 } }
  layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip"
    inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }`;

const formats = `quantization_param { bw_layer_in: 8 bw_layer_out: 8 bw_params: 8 fl_layer_in: 5 fl_layer_out: 5
    fl_params: 7 rounding_scheme: STOCHASTIC }`;
/** The same net with trimmed parameters and activations, rounded by random words. */
const quantised = (batch: number) =>
  net(batch)
    .replace('type: "Convolution"', `type: "ConvolutionRistretto" ${formats}`)
    .replace('type: "InnerProduct"', `type: "FcRistretto" ${formats}`);

const labelled = `
  layer { name: "data" type: "Input" top: "x" top: "y"
    input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
  layer { name: "ip" type: "FcRistretto" bottom: "x" top: "ip" ${formats}
    inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "ip2" type: "FcRistretto" bottom: "ip" top: "ip2" ${formats}
    inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "drop" type: "Dropout" bottom: "ip2" top: "drop" }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "drop" bottom: "y" top: "loss" }`;

let made = 0;
interface Made {
  solver: Ristretto.Solver;
  events: Ristretto.SolverEvent[];
  prefix: string;
}
async function make(
  text: string,
  gpus: number,
  more = '',
  options: Partial<Ristretto.SolverOptions> = {},
): Promise<Made> {
  const param = lib.parseText(
    'SolverParameter',
    `net_param { ${text} } base_lr: 0.0625 lr_policy: "fixed" momentum: 0.5 max_iter: 4 random_seed: 7 ${more}`,
  );
  param.snapshot_prefix = join(folder, `net${made++}`);
  const events: Ristretto.SolverEvent[] = [];
  const solver = await lib.Solver.create({
    param,
    registry: lib.registry,
    threads: 1,
    devices: Array.from({ length: gpus }, (_, id) => new lib.Device(id)),
    onEvent: (event) => void events.push(event),
    ...options,
  });
  open.push(solver);
  return { solver, events, prefix: param.snapshot_prefix };
}

const valuesOf = (solver: Ristretto.Solver) => solver.net.params.map(({ blob }) => blob.toArray());
const lossesOf = (events: readonly Ristretto.SolverEvent[]) =>
  events.flatMap((event) => (event.kind === 'iterated' ? [event.loss] : []));

/** Trains to the end; what came of it. */
async function trained(...args: Parameters<typeof make>) {
  const { solver, events } = await make(...args);
  const before = valuesOf(solver);
  await solver.step(4);
  const params = valuesOf(solver);
  // Without this, nets that learn nothing would be alike too.
  params.forEach((values, i) => expect(values).not.toEqual(before[i]));
  return { params, losses: lossesOf(events), events, solver };
}

function expectClose(a: readonly Float32Array[], b: readonly Float32Array[], tolerance: number): void {
  expect(a.length).toBe(b.length);
  a.forEach((values, i) =>
    values.forEach((value, k) => expect(Math.abs(value - b[i][k])).toBeLessThanOrEqual(tolerance)),
  );
}

describe('training on several GPUs', () => {
  it.each([
    ['a net', net, 2],
    ['a net', net, 3],
    ['a quantised net', quantised, 2],
  ] as const)('%s: equals training on one with the whole batch (%#)', async (_, text, gpus) => {
    const options = { trainActivations: true };
    const alone = await trained(text(2 * gpus), 1, '', options);
    const several = await trained(text(2), gpus, '', options);
    expectClose(several.params, alone.params, 1e-6);
    several.losses.forEach((loss, i) => expect(loss).toBeCloseTo(alone.losses[i], 5));
    const again = await trained(text(2), gpus, '', options);
    expect(again.params).toEqual(several.params);
    expect(again.losses).toEqual(several.losses);
  });

  it('equals it in every bit where sums are exact', async () => {
    const text = (batch: number) => `
      layer { name: "data" type: "Input" top: "x" top: "y"
        input_param { shape { dim: ${batch} dim: 3 } shape { dim: ${batch} dim: 2 } } }
      layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
        inner_product_param { num_output: 2 weight_filler { type: "constant" value: 0.5 } } }
      layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }`;
    const run = async (batch: number, gpus: number) => {
      const { solver, events } = await make(text(batch), gpus);
      for (const [name, top] of solver.replicas.inputs.sourceTops)
        top.set(Array.from({ length: top.count }, (_, i) => ((i * (name === 'x' ? 5 : 3)) % 7) - 3));
      await solver.step(2);
      return { params: valuesOf(solver), losses: lossesOf(events) };
    };
    const alone = await run(8, 1);
    expect(await run(4, 2)).toEqual(alone);
    expect(alone.params[0].some((value) => value !== 0.5)).toBe(true);
  });

  it('takes iter_size, clip_gradients and average_loss as training on one does', async () => {
    const more = 'iter_size: 2 clip_gradients: 0.125 average_loss: 3 weight_decay: 0.125 display: 1';
    const alone = await trained(net(4), 1, more);
    const several = await trained(net(2), 2, more);
    expectClose(several.params, alone.params, 1e-6);
    const norms = ({ events }: typeof alone) =>
      events.flatMap((event) => (event.kind === 'clipped' ? [event.norm] : []));
    expect(norms(alone).length).toBe(4);
    norms(several).forEach((norm, i) => expect(norm).toBeCloseTo(norms(alone)[i], 5));
    const shown = ({ events }: typeof alone) =>
      events.flatMap((event) => (event.kind === 'display' ? [event.loss, event.outputs[0].value] : []));
    expect(shown(alone).length).toBe(8);
    shown(several).forEach((value, i) => expect(value).toBeCloseTo(shown(alone)[i], 5));
  });

  it('has the memory of each net on its own GPU, whatever the current one is', async () => {
    const { Updater } = await import('../../../lib/solver/update.js');
    const { solver } = await make(net(2), 0, '', { devices: [new lib.Device(2), new lib.Device(1)] });
    await solver.step(1);
    const { nets, inputs } = solver.replicas;
    const blobsOf = (made: Ristretto.Net) => [
      ...made.params.map(({ blob }) => blob),
      ...made.layers.flatMap(({ bottom, top }) => [...bottom, ...top]),
    ];
    const ids = (blobs: readonly Ristretto.Blob[]) => new Set(blobs.map(({ device }) => device?.id));
    expect([...nets, inputs].map((made) => ids(blobsOf(made)))).toEqual([2, 1, 2].map((id) => new Set([id])));
    expect(ids(new Updater(solver.net, solver.param).histories)).toEqual(new Set([2]));
  });

  it('tests on the first GPU, and shows what its layers see with debug_info', async () => {
    const { solver, events } = await make(
      net(2),
      2,
      'test_iter: 2 test_interval: 2 display: 1 debug_info: true',
    );
    await solver.step(2);
    const tested = events.filter(({ kind }) => kind === 'tested');
    expect(tested).toHaveLength(1);
    const debug = events.find((event) => event.kind === 'debug')!;
    expect(debug.magnitudes.some(({ layer, pass }) => layer === 'ip' && pass === 'backward')).toBe(true);
  });

  it('writes the net of one GPU, and goes on from it in every bit, also on one with the whole batch', async () => {
    const whole = await make(quantised(2), 2, '', { trainActivations: true });
    await whole.solver.step(4);
    const first = await make(quantised(2), 2, '', { trainActivations: true });
    await first.solver.step(2);
    const resume = await first.solver.snapshot();
    const model = lib.readNetBinary(`${first.prefix}_iter_2.caffemodel`);
    const alone = await make(quantised(2), 1, '', { trainActivations: true });
    expect(model.layer.map(({ name }) => name)).toEqual(
      alone.solver.net.toProto().layer.map(({ name }) => name),
    );
    expect(model.layer[0].dummy_data_param!.shape[0].dim[0]).toBe(2);
    const second = await make(quantised(2), 2, '', { trainActivations: true, resume });
    await second.solver.step(2);
    expect(valuesOf(second.solver)).toEqual(valuesOf(whole.solver));
    const wide = await make(quantised(4), 1, '', { trainActivations: true, resume });
    await wide.solver.step(2);
    expectClose(valuesOf(wide.solver), valuesOf(whole.solver), 1e-6);
  });

  it('says on which GPU a pass failed', async () => {
    const { solver } = await make(labelled, 2);
    const tops = solver.replicas.inputs.sourceTops;
    tops.get('x')!.set(Array.from({ length: 12 }, (_, i) => i / 4 - 1));
    tops.get('y')!.set([0, 1, 0, 9]);
    await expect(solver.step(1)).rejects.toThrow(/^GPU 1: .*loss: a label is not a class/);
    tops.get('y')!.set([9, 1, 0, 9]);
    await expect(solver.step(1)).rejects.toThrow(/^GPU 0: .*loss: a label is not a class/);
    tops.get('y')!.set([0, 1, 0, 1]);
    await solver.step(1);
    expect(solver.iteration).toBe(1);
  });

  it('says which GPU has too little memory, and can be closed', async () => {
    const devices = [new lib.Device(0), new lib.Device(1, { memoryLimit: 1024 })];
    const { solver } = await make(net(2), 0, '', { devices });
    await expect(solver.step(1)).rejects.toThrow(/cannot allocate \d+ bytes on GPU 1/);
    await solver.close();
    await expect(solver.replicas.forward()).rejects.toThrow('the net is closed');
  });

  it('goes on together behind a pass that one GPU left earlier than the others', async () => {
    const { solver } = await make(labelled, 2, '', { trainActivations: true });
    const { inputs, nets } = solver.replicas;
    const x = inputs.sourceTops.get('x')!;
    x.set([...new Array<number>(6).fill(1), ...new Array<number>(6).fill(NaN)]);
    await expect(solver.step(1)).rejects.toThrow(/GPU 1: .*NaN in the data to be trimmed/);
    const counts = () => nets.map(({ layers }) => layers.map(({ layer }) => layer.checkpoint()));
    expect(counts()[1]).not.toEqual(counts()[0]);
    x.set(new Array<number>(12).fill(1));
    await solver.step(1);
    expect(counts()[1]).toEqual(counts()[0]);
  });

  it('normalises each part by itself, and keeps the statistics of the first GPU', async () => {
    const text = (batch: number) => `
      layer { name: "data" type: "Input" top: "x" top: "y"
        input_param { shape { dim: ${batch} dim: 2 } shape { dim: ${batch} dim: 2 } } }
      layer { name: "norm" type: "BatchNorm" bottom: "x" top: "norm" }
      layer { name: "ip" type: "InnerProduct" bottom: "norm" top: "ip" param { name: "w" } param { name: "b" }
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
      layer { name: "ip2" type: "InnerProduct" bottom: "ip" top: "ip2" param { name: "w" } param { name: "b" }
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
      layer { name: "loss" type: "EuclideanLoss" bottom: "ip2" bottom: "y" top: "loss" }`;
    const run = async (gpus: number) => {
      const { solver } = await make(text(4), gpus);
      const { inputs } = solver.replicas;
      // Both halves of the batch are the same: then one GPU with one half sees what both see.
      for (const top of inputs.sourceTops.values())
        top.set(Array.from({ length: top.count }, (_, i) => Math.sin(i % 8)));
      await solver.step(2);
      return { solver, params: valuesOf(solver) };
    };
    const [alone, several] = [await run(1), await run(2)];
    expect(several.params).toEqual(alone.params);
    expect(several.params[0].some((value) => value !== 0)).toBe(true);
    const x = several.solver.replicas.inputs.sourceTops.get('x')!;
    x.data.fill(5, 0, 8);
    await several.solver.step(1);
    const [mean] = several.solver.net.layer('norm').layer.blobs;
    expect(mean.data[0]).toBeGreaterThan(4);
  });

  it('cuts the batch again when its shape changes', async () => {
    const run = async (gpus: number) => {
      const { solver } = await make(
        gpus === 1 ? labelled.replaceAll('{ dim: 2', '{ dim: 4') : labelled,
        gpus,
        '',
        {
          trainNearest: true,
        },
      );
      const tops = solver.replicas.inputs.sourceTops;
      for (const batch of [4, 8, 4]) {
        tops.get('x')!.reshape([batch, 3]);
        tops.get('y')!.reshape([batch]);
        tops.get('x')!.set(Array.from({ length: 3 * batch }, (_, i) => Math.cos(i)));
        tops.get('y')!.set(Array.from({ length: batch }, (_, i) => i % 2));
        await solver.step(1);
      }
      return valuesOf(solver);
    };
    expectClose(await run(2), await run(1), 1e-6);
  });

  it('refuses what it cannot do', async () => {
    await expect(make(net(2), 0, '', { devices: [new lib.Device(1), new lib.Device(1)] })).rejects.toThrow(
      'each GPU can stand there once',
    );
    const scalar = labelled
      .replace('top: "y"', 'top: "y" top: "z"')
      .replace('shape { dim: 2 } }', 'shape { dim: 2 } shape {} }');
    await expect(make(scalar, 2)).rejects.toThrow("top 'z' of shape () cannot be cut into 2 equal batches");
    const learned = `layer { name: "p" type: "Parameter" top: "x" parameter_param { shape { dim: 2 dim: 2 } } }
      layer { name: "loss" type: "Reduction" bottom: "x" top: "loss" loss_weight: 1 }`;
    await expect(make(learned, 2)).rejects.toThrow(
      'the net has no input whose batch several GPUs could share',
    );
  });
});

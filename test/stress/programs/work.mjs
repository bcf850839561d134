// The kinds of work that the stress tests leave open, stop and abort. Programs of this folder use the built package.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ristretto from '../../../dist/index.js';

const { convertImageset, createNet, kernels, parseText, Phase, quantize, registry, Solver, writeGlyphs } =
  ristretto;

/** Images, and a net that reads them, in a new folder. */
export async function makeData() {
  const folder = mkdtempSync(join(tmpdir(), 'stress-'));
  await writeGlyphs({ out: join(folder, 'lmdb'), set: 'stress', count: 64 });
  const model = join(folder, 'net.prototxt');
  writeFileSync(
    model,
    `layer { name: "data" type: "Data" top: "data" top: "label"
       data_param { source: ${JSON.stringify(join(folder, 'lmdb'))} batch_size: 16 backend: LMDB } }
     ${layers('Convolution', 'InnerProduct')}
     layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
     layer { name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy" include { phase: TEST } }`,
  );
  const weights = join(folder, 'net.caffemodel');
  const net = await ristretto.Net.create({
    param: ristretto.readNetText(model),
    phase: Phase.TEST,
    registry,
    threads: 1,
  });
  ristretto.writeNetBinary(weights, net.toProto());
  await net.close();
  writeFileSync(
    join(folder, 'pixels.ppm'),
    Buffer.concat([Buffer.from('P6 64 64 255\n'), Buffer.alloc(64 * 64 * 3, 7)]),
  );
  return { folder, model, weights };
}

export const removeData = ({ folder }) => rmSync(folder, { recursive: true, force: true });

const formats =
  'quantization_param { bw_layer_in: 8 fl_layer_in: 0 bw_layer_out: 8 fl_layer_out: 0 bw_params: 8 fl_params: 6 }';

function layers(convolution, innerProduct, more = '') {
  return `
    layer { name: "conv" type: "${convolution}" bottom: "data" top: "conv" ${more}
      convolution_param { num_output: 16 kernel_size: 3 weight_filler { type: "xavier" } } }
    layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
    layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
    layer { name: "fc" type: "${innerProduct}" bottom: "pool" top: "fc" ${more}
      inner_product_param { num_output: 26 weight_filler { type: "xavier" } } }`;
}

const fed = (body) =>
  parseText(
    'NetParameter',
    `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 dim: 32 dim: 32 } } } ${body}`,
  );
export const engines = {
  float: ['simulate', fed(layers('Convolution', 'InnerProduct'))],
  simulated: ['simulate', fed(layers('ConvolutionRistretto', 'FcRistretto', formats))],
  integer: ['integer', fed(layers('ConvolutionRistretto', 'FcRistretto', formats))],
};

/** A net that `pass` can run; every net of one engine computes the same numbers. */
export function makeNet(engine, options = {}) {
  const [name, param] = engines[engine];
  return createNet(name, { param, registry, phase: Phase.TEST, threads: 2, ...options });
}

/** One pass; its outputs. */
export async function pass(net, options) {
  const [input] = net.sourceTops.values();
  input.set(Float32Array.from({ length: input.count }, (_, i) => ((i * 7919) % 511) / 2 - 127));
  await net.forward(options);
  return net.outputs[0].toArray();
}

const solverParam = ({ model, folder }) =>
  parseText(
    'SolverParameter',
    `net: ${JSON.stringify(model)} base_lr: 0.01 momentum: 0.9 lr_policy: "fixed" max_iter: 1000000
     random_seed: 1 snapshot_prefix: ${JSON.stringify(join(folder, `s${process.pid}-${Math.random()}`))} snapshot_after_train: false`,
  );

/** Work that goes on until it is stopped. `options.signal` stops it where it takes one. */
export const endless = {
  async float(_data, options) {
    const net = await makeNet('float');
    for (;;) await pass(net, options);
  },
  async integer(_data, options) {
    const net = await makeNet('integer');
    for (;;) await pass(net, options);
  },
  async creations(_data, options) {
    for (;;) {
      const net = await makeNet('simulated', options);
      await pass(net, options);
      await net.close();
      options?.signal?.throwIfAborted();
    }
  },
  async leftOpen(_data, options) {
    for (let i = 0; i < 20; i++) await pass(await makeNet(i % 2 ? 'integer' : 'float'), options);
    for (;;) {
      options?.signal?.throwIfAborted();
      await new Promise((done) => setTimeout(done, 5));
    }
  },
  async solver(data, options) {
    const solver = await Solver.create({ param: solverParam(data), registry, threads: 2, ...options });
    await solver.solve();
    await solver.close();
    options?.signal?.throwIfAborted();
  },
  async search({ model, weights, folder }, options) {
    for (;;)
      await quantize({
        model,
        weights,
        modelQuantized: join(folder, `q${process.pid}-${Math.random()}.prototxt`),
        trimmingMode: 'dynamic_fixed_point',
        iterations: 3,
        errorMargin: 5,
        threads: 2,
        ...options,
      });
  },
  async images({ folder }, options) {
    const list = join(folder, `list-${Math.random()}`);
    writeFileSync(list, Array.from({ length: 500 }, (_, i) => `pixels.ppm ${i % 5}`).join('\n'));
    for (let i = 0; ; i++)
      await convertImageset({
        root: `${folder}/`,
        list,
        out: `${list}-${i}`,
        resizeHeight: 90,
        resizeWidth: 90,
        ...options,
      });
  },
  async kernels(_data, options) {
    const values = Float32Array.from({ length: 100_000 }, (_, i) => Math.sin(i));
    for (;;) {
      await kernels.trim(values, { kind: 'dynamicFixedPoint', bitWidth: 8, fractionalLength: 6 });
      options?.signal?.throwIfAborted();
    }
  },
};

/** Numbers in [0, 1) from a seed: mulberry32. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Throws unless both engines still compute what they did at first. */
export async function referenceOutputs() {
  const outputs = {};
  for (const engine of Object.keys(engines)) {
    const net = await makeNet(engine);
    outputs[engine] = [...(await pass(net))].join();
    await net.close();
  }
  return outputs;
}

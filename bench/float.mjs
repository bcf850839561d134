// Float forward of a whole net: this engine against onnxruntime-node, same weights, same inputs, same process.
//   npm run bench -- float [--model deploy.prototxt --weights net.caffemodel] [--batch 1,25] [--threads 1,2]
//                          [--rounds 7] [--isa auto] [--no-peer] [--json FILE]
// Verifies that the outputs agree before anything is timed. Prints the original's figures where the reference
// data has them: those were measured elsewhere at another time, so only the ratios to the peer are of one run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { Net, clone, readNetBinary, readNetText, registry, Stream } from '../dist/index.js';
import { encodeModel, onnxGraph, weightsOf } from './peers/onnx-model.mjs';
import { onnxruntime } from './peers/onnxruntime.mjs';
import { machine, race } from './tools/timing.mjs';

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: join(reference, 'data/squeezenet/deploy.prototxt') },
    weights: { type: 'string', default: join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel') },
    batch: { type: 'string', default: '1,25' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '7' },
    isa: { type: 'string', default: 'auto' },
    peer: { type: 'boolean', default: true },
    json: { type: 'string' },
  },
  allowNegative: true,
});
const numbers = (text) => text.split(',').map(Number);

const deploy = await readNetText(options.model);
const trained = await readNetBinary(options.weights);
const inputLayer = deploy.layer.find((layer) => layer.type === 'Input');
const inputShape = [...inputLayer.input_param.shape[0].dim];

/** Our contestant: the deploy net at one batch size on one number of threads. */
async function ours(batch, threads, image) {
  const param = clone(deploy);
  const input = param.layer.find((layer) => layer.type === 'Input');
  input.input_param.shape[0].dim[0] = batch;
  const stream = new Stream({ threads, isa: options.isa });
  const net = await Net.create({ param, phase: 1, registry, stream, keep: 'outputs' });
  await net.copyTrainedLayers(trained);
  net.blob(inputLayer.top[0]).set(image);
  return {
    run: () => net.forward(),
    output: async () => {
      await net.forward();
      return Float32Array.from(net.outputs[0].data);
    },
    close: () => stream.close(),
  };
}

async function peer(batch, threads, image) {
  const layers = deploy.layer.filter((layer) => layer.type !== 'Input');
  const graph = onnxGraph({
    layers,
    input: inputLayer.top[0],
    inputShape,
    output: layers.at(-1).top[0],
    weights: weightsOf(trained),
  });
  const shape = [batch, ...inputShape.slice(1)];
  return onnxruntime(encodeModel(graph, root), threads, inputLayer.top[0], shape, image);
}

/** Pseudo-random pixels in [-128, 128): the time does not depend on them, the comparison does. */
function pixels(count) {
  const values = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 24 - 128;
  }
  return values;
}

function verify(a, b) {
  let largest = 0;
  for (const value of b) largest = Math.max(largest, Math.abs(value));
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  if (a.length !== b.length || !(worst <= 1e-3 * largest))
    throw new Error(`the engines disagree: ${worst} where the largest output is ${largest}`);
}

console.log(`${basename(options.model)}, ${machine()}, instruction set ${options.isa}`);
const rows = [];
for (const threads of numbers(options.threads))
  for (const batch of numbers(options.batch)) {
    const image = pixels(batch * inputShape.slice(1).reduce((a, b) => a * b, 1));
    const contestants = { ristretto: await ours(batch, threads, image) };
    if (options.peer) {
      contestants.onnxruntime = await peer(batch, threads, image);
      verify(await contestants.ristretto.output(), await contestants.onnxruntime.output());
    }
    rows.push(await race(contestants, { threads, batch, images: 25, rounds: Number(options.rounds) }));
    for (const contestant of Object.values(contestants)) await contestant.close();
  }

const original = join(reference, 'reference/squeezenet.json');
let timing = null;
if (existsSync(original)) {
  timing = JSON.parse(readFileSync(original, 'utf8')).timing;
  const { twoThreads, oneThread } = timing.floatForwardMsBatch25;
  console.log(
    `the original (${timing.machine}), batch 25, img/s: ${(25e3 / oneThread).toFixed(1)} on one thread, ` +
      `${(25e3 / twoThreads).toFixed(1)} on two`,
  );
}
if (options.json)
  writeFileSync(options.json, JSON.stringify({ machine: machine(), rows, original: timing }, null, 2));

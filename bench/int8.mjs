// An 8-bit forward of a whole net: the integer engine against onnxruntime-node's int8 (or float32) inference of
// the same weights, on the same images, in the same process.
//   npm run bench -- int8 [--batch 1,25] [--threads 1,2] [--rounds 7] [--isa auto] [--peer int8|float|none]
//                         [--json FILE] [--model deploy.prototxt --data-model train_val.prototxt --weights W --data LMDB]
// Both 8-bit forms come from one calibration: the ranges of the float net's blobs over the first batch of
// images. Before anything is timed, each contestant's top-1 is held against the float net's on further images.
// `--peer float` is for an instruction set forced with --isa, which the peer's 8-bit kernels cannot be held to.
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { clone, Net, readNetBinary, readNetText, registry, Stream } from '../dist/index.js';
import { IntegerNet } from '../dist/engine/index.js';
import { fixedPointActivations, fixedPointParameters, quantiseNet } from '../dist/quantize/edit-net.js';
import { integerLengthsOf } from '../dist/quantize/integer-lengths.js';
import { countNodes, encodeModel, onnxGraph, weightsOf } from './peers/onnx-model.mjs';
import { onnxruntime, optimised } from './peers/onnxruntime.mjs';
import { quantiseGraph } from './peers/qdq-model.mjs';
import { machine, race } from './tools/timing.mjs';

/** Batches of the data layer that top-1 is compared on, and the share of images that must agree. */
const CHECKED_BATCHES = 4;
const LEAST_AGREEMENT = 0.8;
const BITS = 8;

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: join(reference, 'data/squeezenet/deploy.prototxt') },
    'data-model': { type: 'string', default: join(reference, 'data/squeezenet/train_val.prototxt') },
    weights: { type: 'string', default: join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel') },
    data: { type: 'string', default: join(reference, 'data/imagenet/lmdb') },
    batch: { type: 'string', default: '1,25' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '7' },
    isa: { type: 'string', default: 'auto' },
    peer: { type: 'string', default: 'int8' },
    json: { type: 'string' },
  },
});
if (!['int8', 'float', 'none'].includes(options.peer)) throw new Error('--peer is int8, float or none');
const numbers = (text) => text.split(',').map(Number);

const deploy = readNetText(options.model);
const trained = readNetBinary(options.weights);
const inputLayer = deploy.layer.find((layer) => layer.type === 'Input');
const input = inputLayer.top[0];
const imageShape = [...inputLayer.input_param.shape[0].dim].slice(1);
const imageCount = imageShape.reduce((a, b) => a * b, 1);
const layers = deploy.layer.filter((layer) => layer.type !== 'Input');
const output = layers.at(-1).top[0];

/** The index of the greatest value of each image's row. */
function top1(values, images) {
  const classes = values.length / images;
  return Array.from({ length: images }, (_, i) => {
    const row = values.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  });
}

/** Ranges of the float net's blobs over one batch; images with the float net's answers over further ones. */
async function readData() {
  const net = await Net.create({
    param: readNetText(options['data-model']),
    phase: 1,
    registry,
    keep: 'all',
    dataSource: options.data,
  });
  try {
    await net.copyTrainedLayers(trained);
    await net.forward();
    const ranges = new Map(net.blobNames.map((name) => [name, rangeOf(net.blob(name).toArray())]));
    const batches = [];
    for (let i = 0; i < CHECKED_BATCHES; i++) {
      await net.forward();
      const images = net.blob(input).toArray();
      const count = images.length / imageCount;
      batches.push({ images, count, top1: top1(net.blob(output).toArray(), count) });
    }
    return { ranges, batches };
  } finally {
    await net.close();
  }
}

function rangeOf(values) {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return [least, greatest];
}

const magnitude = ([least, greatest]) => Math.max(-least, greatest);

/** The deploy net with every convolution and inner product in 8-bit dynamic fixed point. */
function fixedPointNet(ranges) {
  const weights = weightsOf(trained);
  return quantiseNet(deploy, (layer) => {
    const [lengths] = integerLengthsOf([
      {
        layer: layer.name,
        input: magnitude(ranges.get(layer.bottom[0])),
        output: magnitude(ranges.get(layer.top[0])),
        parameters: magnitude(rangeOf(weights(layer.name)[0].data)),
      },
    ]);
    return {
      ...fixedPointParameters(BITS, lengths.parameters),
      ...fixedPointActivations(BITS, lengths.input, lengths.output),
    };
  });
}

/** Our contestant: the quantised net on integer codes. */
async function ours(quantised, batch, threads, images) {
  const param = clone(quantised);
  param.layer.find((layer) => layer.type === 'Input').input_param.shape[0].dim[0] = batch;
  const stream = new Stream({ threads, isa: options.isa });
  const net = await IntegerNet.create({ param, phase: 1, registry, stream });
  await net.copyTrainedLayers(trained);
  const feed = (values) => net.blob(input).set(values);
  feed(images);
  return {
    feed,
    run: () => net.forward(),
    output: async () => {
      await net.forward();
      return net.outputs[0].toArray();
    },
    close: async () => {
      await net.close();
      stream.close();
    },
  };
}

async function peerModel(ranges) {
  const weights = weightsOf(trained);
  const graph = onnxGraph({ layers, input, inputShape: [1, ...imageShape], output, weights });
  if (options.peer === 'float') return encodeModel(graph, root);
  const model = encodeModel(
    quantiseGraph(graph, (blob) => ranges.get(blob)),
    root,
  );
  // The peer is at its best only where its optimiser recognises the quantised form.
  const counts = countNodes(await optimised(model), root);
  const convolutions = graph.nodes.filter(({ op_type }) => op_type === 'Conv').length;
  if (counts.QLinearConv !== convolutions || counts.Conv || counts.FusedConv)
    throw new Error(`onnxruntime left convolutions in float: ${JSON.stringify(counts)}`);
  console.log(
    `onnxruntime runs ${Object.entries(counts)
      .map(([type, count]) => `${count} ${type}`)
      .join(', ')}`,
  );
  return model;
}

async function verify(name, contestant, batches) {
  let agreeing = 0;
  let count = 0;
  for (const batch of batches) {
    contestant.feed(batch.images);
    const answers = top1(await contestant.output(), batch.count);
    agreeing += answers.filter((answer, i) => answer === batch.top1[i]).length;
    count += batch.count;
  }
  console.log(`${name}: top-1 as the float net's on ${agreeing} of ${count} images`);
  if (agreeing < LEAST_AGREEMENT * count) throw new Error(`${name} computes another function`);
  return agreeing / count;
}

console.log(`${basename(options.model)}, ${BITS} bits, ${machine()}, instruction set ${options.isa}`);
const { ranges, batches } = await readData();
const quantised = fixedPointNet(ranges);
const model = options.peer === 'none' ? null : await peerModel(ranges);

async function contestants(batch, threads, images) {
  const made = { ristretto: await ours(quantised, batch, threads, images) };
  if (model) made.onnxruntime = await onnxruntime(model, threads, input, [batch, ...imageShape], images);
  return made;
}

async function closeAll(made) {
  for (const contestant of Object.values(made)) await contestant.close();
}

const agreement = {};
{
  const [{ images, count }] = batches;
  const made = await contestants(count, Math.max(...numbers(options.threads)), images);
  for (const [name, contestant] of Object.entries(made))
    agreement[name] = await verify(name, contestant, batches);
  await closeAll(made);
}

const rows = [];
for (const threads of numbers(options.threads))
  for (const batch of numbers(options.batch)) {
    const images = new Float32Array(batch * imageCount);
    for (let i = 0; i < batch; i++) {
      const { images: from, count } = batches[Math.floor(i / batches[0].count) % batches.length];
      const at = (i % count) * imageCount;
      images.set(from.subarray(at, at + imageCount), i * imageCount);
    }
    const made = await contestants(batch, threads, images);
    rows.push(await race(made, { threads, batch, images: 50, rounds: Number(options.rounds) }));
    await closeAll(made);
  }
if (options.json)
  writeFileSync(
    options.json,
    JSON.stringify({ machine: machine(), isa: options.isa, peer: options.peer, agreement, rows }, null, 2),
  );

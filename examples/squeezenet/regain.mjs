// A net that lost accuracy to few bits gets it back, held against the float net under the same recipe.
//   node examples/squeezenet/regain.mjs --model train_val.prototxt --quantized quantized.prototxt --weights net.caffemodel
//     --data LMDB [--bits 6,5] [--iterations 120] [--lr 5e-5] [--batch 25] [--rounding nearest|stochastic] [--seed 1]
//     [--threads N] [--out regain-output]
// The records of the LMDB are dealt out to two halves by their place (even, odd). Each net is fine-tuned on one half,
// with random crops and mirrors, and scored on the other; then the other way round. It does not learn the labels, of
// which the other half has none, but to give the class scores that the float net gives (Hinton et al. 2015, by the
// squared distance): a frozen float net runs beside it on the same images. Weights are rounded to nearest and
// activations trimmed while it learns, as they are when it is scored. The control is the float net under the same
// recipe. What was lost, and how much came back, is counted against the control's score.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  clone,
  create,
  encode,
  readNetBinary,
  readNetText,
  registry,
  score,
  Solver,
  splitDatabase,
} from '../../dist/index.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    quantized: { type: 'string' },
    weights: { type: 'string' },
    data: { type: 'string' },
    bits: { type: 'string', default: '6,5' },
    iterations: { type: 'string', default: '120' },
    lr: { type: 'string', default: '5e-5' },
    rounding: { type: 'string', default: 'nearest' },
    batch: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string' },
    scores: { type: 'string', default: 'pool_final' },
    'loss-weight': { type: 'string', default: '1e-3' },
    halves: { type: 'string', default: '0,1' },
    out: { type: 'string', default: 'regain-output' },
  },
});
for (const name of ['model', 'quantized', 'weights', 'data'])
  if (!options[name]) throw new Error(`--${name} is missing`);
const out = resolve(options.out);
mkdirSync(out, { recursive: true });
const threads = options.threads ? Number(options.threads) : undefined;
const batch = Number(options.batch);
/** Images that are scored at a time. */
const SCORED = 25;

const halves = [join(out, 'even'), join(out, 'odd')];
const countsFile = join(out, 'halves.json');
if (!existsSync(countsFile)) {
  const { first, second } = await splitDatabase({ data: options.data, first: halves[0], second: halves[1] });
  writeFileSync(countsFile, JSON.stringify([first, second]));
}
const counts = JSON.parse(readFileSync(countsFile, 'utf8'));

const TRAIN = 0;
const TEACHER = 'teacher/';
/** The net as it is trained: mirrored crops in TRAIN. */
function prepared(net) {
  const copy = clone(net);
  for (const layer of copy.layer) {
    if (layer.type !== 'Data') continue;
    layer.data_param.batch_size = layer.include.some((rule) => rule.phase === TRAIN) ? batch : SCORED;
    if (layer.include.some((rule) => rule.phase === TRAIN)) layer.transform_param.mirror = true;
  }
  return copy;
}

/** The quantised net with fewer bits for parameters, over the same range. */
function withParameterBits(net, bits) {
  const copy = prepared(net);
  for (const { quantization_param: formats } of copy.layer) {
    if (!formats?.bw_params) continue;
    formats.fl_params -= formats.bw_params - bits;
    formats.bw_params = bits;
  }
  return copy;
}

/** The net with a frozen float net beside it, whose class scores it learns to give. */
function taught(net) {
  const computes = (layer) =>
    layer.bottom.length > 0 && !/Loss|Accuracy/.test(layer.type) && layer.type !== 'Dropout';
  const keep = (layer) => layer.bottom.length === 0 || computes(layer);
  const inputs = new Set(float.layer.filter(({ bottom }) => !bottom.length).flatMap(({ top }) => top));
  const copy = clone(net);
  copy.layer = copy.layer.filter(keep);
  const prefixed = (blob) => (inputs.has(blob) ? blob : TEACHER + blob);
  for (const layer of float.layer.filter(computes)) {
    const teacher = clone(layer);
    teacher.name = TEACHER + layer.name;
    teacher.bottom = layer.bottom.map(prefixed);
    teacher.top = layer.top.map(prefixed);
    teacher.param = [0, 1].map(() => create('ParamSpec', { lr_mult: 0, decay_mult: 0 }));
    if (!/^(Convolution|InnerProduct)$/.test(layer.type)) teacher.param = [];
    copy.layer.push(teacher);
  }
  copy.layer.push(
    create('LayerParameter', {
      name: 'distance',
      type: 'EuclideanLoss',
      bottom: [options.scores, TEACHER + options.scores],
      top: ['distance'],
      loss_weight: [Number(options['loss-weight'])],
    }),
  );
  return copy;
}

/** The weights of both nets in one file. */
async function taughtWeights() {
  const trained = await readNetBinary(options.weights);
  const both = clone(trained);
  both.layer.push(
    ...trained.layer.map((layer) => {
      const teacher = clone(layer);
      teacher.name = TEACHER + layer.name;
      return teacher;
    }),
  );
  const file = join(out, 'taught.caffemodel');
  writeFileSync(file, encode(both));
  return file;
}

async function accuracy(model, weights, half) {
  const { means, outputs } = await score({
    model,
    weights,
    data: halves[half],
    iterations: Math.floor(counts[half] / SCORED),
    threads,
  });
  return means[outputs.findIndex(({ name }) => /top1|^accuracy$/.test(name))];
}

async function fineTune(name, net, half) {
  const prefix = join(out, `${name}-${half}`);
  const solver = await Solver.create({
    param: create('SolverParameter', {
      train_net_param: taught(net),
      base_lr: Number(options.lr),
      lr_policy: 'poly',
      power: 1,
      type: 'Adam',
      momentum: 0.9,
      momentum2: 0.999,
      max_iter: Number(options.iterations),
      snapshot_prefix: prefix,
      random_seed: Number(options.seed),
    }),
    registry,
    trainNearest: options.rounding === 'nearest',
    trainActivations: true,
    weights: [startWeights],
    dataSource: { train: halves[half] },
    threads,
    onEvent: (event) => {
      if (event.kind === 'iterated' && event.iteration % 10 === 0)
        console.log(`${name}, half ${half}: update ${event.iteration}, loss ${event.loss.toFixed(4)}`);
    },
  });
  await solver.solve();
  await solver.close();
  return `${prefix}_iter_${options.iterations}.caffemodel`;
}

const float = prepared(await readNetText(options.model));
const startWeights = await taughtWeights();
const quantized = await readNetText(options.quantized);
const rows = [];
for (const trainHalf of options.halves.split(',').map(Number)) {
  const testHalf = 1 - trainHalf;
  const control = {
    before: await accuracy(float, options.weights, testHalf),
    after: await accuracy(float, await fineTune('float', float, trainHalf), testHalf),
  };
  for (const bits of options.bits.split(',').map(Number)) {
    const net = withParameterBits(quantized, bits);
    const before = await accuracy(net, options.weights, testHalf);
    const tuned = await fineTune(`${bits}bit`, net, trainHalf);
    const after = await accuracy(net, tuned, testHalf);
    const row = { trainHalf, testHalf, bits, control, before, after };
    row.regained = (after - before) / (control.after - before);
    rows.push(row);
    console.log(JSON.stringify(row));
  }
}
writeFileSync(join(out, 'regain.json'), JSON.stringify({ options, rows }, null, 2) + '\n');

// Training of a whole net: seconds of an iteration (forward, backward, update), what the parts take, memory.
//   npm run bench -- train [--model train.prototxt --weights net.caffemodel --data LMDB] [--batch 25] [--threads 1,2]
//                          [--iterations 9] [--isa auto] [--memory-iterations 0] [--json FILE]
// A quantised net's stochastic trimming of its weights is shown as a share of the iteration. Before anything is timed,
// two runs of two iterations are held against each other, bit for bit.
//   --caffe BINARY --pytorch PYTHON [--rounds 3]: the original, and PyTorch on SqueezeNet v1.0, take turns with ours.
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { clone, create, readNetText, registry, Solver } from '../dist/index.js';
import * as peers from './peers/training.mjs';
import { machine, median } from './tools/timing.mjs';

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: join(reference, 'data/squeezenet/train_deterministic.prototxt') },
    weights: { type: 'string', default: join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel') },
    data: { type: 'string', default: join(reference, 'data/imagenet/lmdb') },
    batch: { type: 'string', default: '25' },
    threads: { type: 'string', default: '1,2' },
    iterations: { type: 'string', default: '9' },
    isa: { type: 'string', default: 'auto' },
    // So many iterations more, to see whether memory grows.
    'memory-iterations': { type: 'string', default: '0' },
    caffe: { type: 'string' },
    pytorch: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const TRAIN = 0;
const batch = Number(options.batch);

const net = clone(await readNetText(options.model));
for (const layer of net.layer)
  if (layer.type === 'Data' && !layer.include.some(({ phase }) => phase !== undefined && phase !== TRAIN))
    layer.data_param.batch_size = batch;

const rule = { base_lr: 1e-4, lr_policy: 'fixed', momentum: 0.9, weight_decay: 0.0002, random_seed: 1 };

function makeSolver(threads, more = {}, model = net) {
  return Solver.create({
    param: create('SolverParameter', {
      ...rule,
      train_net_param: model,
      max_iter: 2 ** 30,
      snapshot_after_train: false,
    }),
    registry,
    weights: [options.weights],
    dataSource: { train: options.data },
    threads,
    isa: options.isa,
    ...more,
  });
}

async function weightsAfter(threads, iterations) {
  const solver = await makeSolver(threads);
  await solver.step(iterations);
  const weights = solver.net.params.map(({ blob }) => blob.toArray());
  await solver.close();
  return weights;
}

async function verify() {
  const [a, b] = [await weightsAfter(1, 2), await weightsAfter(2, 2)];
  for (const [p, values] of a.entries())
    if (values.some((value, i) => value !== b[p][i]))
      throw new Error('1 and 2 threads give different weights');
}

const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(0);

/** Seconds of each op since the stream began. */
function secondsByOp(stream) {
  const ops = new Map();
  for (const { op, seconds } of stream.profile()) ops.set(op, (ops.get(op) ?? 0) + seconds);
  return ops;
}

async function timed(solver, iterations) {
  const seconds = [];
  for (let i = 0; i < iterations; i++) {
    const start = process.hrtime.bigint();
    await solver.step(1);
    seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
  }
  return seconds;
}

async function measure(threads) {
  const solver = await makeSolver(threads, { profile: true });
  await solver.step(2);
  const before = secondsByOp(solver.net.stream);
  const seconds = await timed(solver, Number(options.iterations));
  const ops = [...secondsByOp(solver.net.stream)]
    .map(([op, total]) => [op, (total - (before.get(op) ?? 0)) / seconds.length])
    .sort(([, a], [, b]) => b - a);
  const resident = process.memoryUsage().rss;
  const more = Number(options['memory-iterations']);
  if (more) await solver.step(more);
  const row = {
    threads,
    batch,
    secondsPerIteration: median(seconds),
    imagesPerSecond: batch / median(seconds),
    ops: Object.fromEntries(ops),
    trimShare: (Object.fromEntries(ops).trim ?? 0) / median(seconds),
    memory: solver.net.memory,
    residentBytes: resident,
    residentBytesLater: more ? process.memoryUsage().rss : undefined,
  };
  await solver.close();
  return row;
}

/** Rounds of ours and the others' iterations in turns: every contestant's seconds, round by round. */
async function race(threads) {
  if (!options.caffe && !options.pytorch) return {};
  const [data, label] = await dataShapes();
  const task = {
    net: peers.withoutData(net, [data, label]),
    weights: options.weights,
    solver: rule,
    threads,
  };
  const contestants = {};
  if (options.caffe) contestants.caffe = peers.caffe(options.caffe, task);
  if (options.pytorch)
    contestants.pytorch = peers.pytorch(options.pytorch, { batch, size: data.at(-1), threads });
  const solver = await makeSolver(threads, {}, task.net);
  await solver.step(2);
  contestants.ristretto = (iterations) => timed(solver, iterations);
  const seconds = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, run] of Object.entries(contestants))
      seconds[name].push(await run(Number(options.iterations)));
  await solver.close();
  return seconds;
}

async function dataShapes() {
  const solver = await makeSolver(1);
  const { top } = net.layer.find(({ type }) => type === 'Data');
  const shapes = top.map((name) => [...solver.net.blob(name).shape]);
  await solver.close();
  return shapes;
}

console.log(`${basename(options.model)}, batch ${batch}, ${machine()}, instruction set ${options.isa}`);
await verify();
const rows = [];
for (const threads of options.threads.split(',').map(Number)) {
  const row = await measure(threads);
  rows.push(row);
  console.log(
    `threads ${threads}  ${row.secondsPerIteration.toFixed(3)} s an iteration  ${row.imagesPerSecond.toFixed(1)} images/s`,
  );
  for (const [op, seconds] of Object.entries(row.ops))
    if (seconds > 0.002 * row.secondsPerIteration)
      console.log(`  ${op.padEnd(22)} ${(1000 * seconds).toFixed(1).padStart(8)} ms`);
  if (row.trimShare) console.log(`  trimming takes ${(100 * row.trimShare).toFixed(2)} % of the iteration`);
  console.log(
    `  blobs ${megabytes(row.memory.total)} MiB, resident ${megabytes(row.residentBytes)} MiB` +
      (row.residentBytesLater
        ? `, after ${options['memory-iterations']} iterations more ${megabytes(row.residentBytesLater)} MiB`
        : ''),
  );
  row.peers = await race(threads);
  for (const [name, rounds] of Object.entries(row.peers)) {
    const all = rounds.flat();
    const ratio = median(rounds.map((seconds, i) => median(seconds) / median(row.peers.ristretto[i])));
    console.log(
      `  in turns, ${name.padEnd(9)} ${median(all).toFixed(3)} s an iteration (${Math.min(...all).toFixed(3)} to ` +
        `${Math.max(...all).toFixed(3)}, ${all.length} iterations), ${ratio.toFixed(2)} times ours`,
    );
  }
}
if (options.json) writeFileSync(options.json, JSON.stringify({ machine: machine(), rows }, null, 2) + '\n');

// The whole dynamic-fixed-point search: wall time, CPU time over all threads, peak memory, decisions.
//   npm run bench -- quantize [--model M --weights W --data LMDB --iterations 20 --threads 2 --json FILE]
// CPU seconds are this process's own accounting (user + system), from before the nets are read to the end,
// decoding included. Beside it stands the floor that the float nets among those scored set: their images times what
// one image of the float net costs in the same process, data at hand. The original's figures come from the reference data and were measured elsewhere.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { clone, Net, quantize, readNetBinary, readNetText, registry } from '../dist/index.js';
import { machine } from './tools/timing.mjs';

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: join(reference, 'data/squeezenet/train_val.prototxt') },
    weights: { type: 'string', default: join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel') },
    data: { type: 'string', default: join(reference, 'data/imagenet/lmdb') },
    iterations: { type: 'string', default: '20' },
    mode: { type: 'string', default: 'dynamic_fixed_point' },
    margin: { type: 'string', default: '3' },
    threads: { type: 'string' },
    json: { type: 'string' },
  },
});

const TEST = 1;
const threads = options.threads ? Number(options.threads) : undefined;
const cpuSeconds = (before) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

/** CPU seconds of one image of the float net, and its batch: passes over one batch that is decoded already. */
async function floatImage(passes) {
  const param = await readNetText(options.model);
  const isSource = (layer) => layer.bottom.length === 0 && layer.top.length > 0 && layer.type !== 'Parameter';
  const sourcesParam = clone(param);
  sourcesParam.layer = sourcesParam.layer.filter(isSource);
  const make = (more) => Net.create({ param, registry, phase: TEST, threads, ...more });
  const sources = await make({ param: sourcesParam, dataSource: options.data });
  const net = await make({ sources, stream: sources.stream });
  await net.copyTrainedLayers(await readNetBinary(options.weights));
  await sources.forward();
  await net.forward();
  const before = process.cpuUsage();
  for (let i = 0; i < passes; i++) await net.forward();
  const batch = [...sources.sourceTops.values()][0].shape[0];
  const seconds = cpuSeconds(before) / (passes * batch);
  await net.close();
  await sources.close();
  return { seconds, batch };
}

/** Batches that were run on float32: those of all nets but the combined one, whose every layer runs on codes. */
let floatBatches = 0;
const onEvent = (event) => {
  if (event.kind === 'batch' && event.evaluation.part !== 'combined') floatBatches++;
};

const folder = mkdtempSync(join(tmpdir(), 'ristretto-bench-'));
const before = process.cpuUsage();
const start = process.hrtime.bigint();
const result = await quantize({
  model: options.model,
  weights: options.weights,
  modelQuantized: join(folder, 'quantized.prototxt'),
  trimmingMode: options.mode,
  iterations: Number(options.iterations),
  errorMargin: Number(options.margin),
  data: options.data,
  threads,
  onEvent,
});
const wall = Number(process.hrtime.bigint() - start) / 1e9;
const cpu = cpuSeconds(before);
const peak = process.resourceUsage().maxRSS / 1024;
rmSync(folder, { recursive: true });
const { seconds: perImage, batch } = await floatImage(8);
const floatImages = floatBatches * batch;
const floor = floatImages * perImage;

console.log(`quantize ${options.mode}, ${options.iterations} iterations, ${machine()}`);
console.log(`wall ${wall.toFixed(1)} s, CPU ${cpu.toFixed(1)} s, peak memory ${peak.toFixed(0)} MB`);
console.log(
  `floor: ${floatImages} images in float32 at ${(1000 * perImage).toFixed(2)} CPU-ms each: ${floor.toFixed(1)} CPU-seconds`,
);
console.log(JSON.stringify({ baseline: result.baseline, chosen: result.chosen, combined: result.combined }));
const original = join(reference, 'reference/squeezenet.json');
if (existsSync(original)) {
  const timing = JSON.parse(readFileSync(original, 'utf8')).timing;
  const { asBuiltByDefault, withNoMathErrno } = timing.dynamicFixedPointSearchCpuSeconds;
  console.log(
    `the original (${timing.machine}) needs ${asBuiltByDefault} CPU-seconds as built by default, ` +
      `${withNoMathErrno} at best: ${(asBuiltByDefault / cpu).toFixed(0)} and ${(withNoMathErrno / cpu).toFixed(1)} times as many`,
  );
}
if (options.json)
  writeFileSync(
    options.json,
    JSON.stringify(
      { machine: machine(), wall, cpu, peakMegabytes: peak, floatImages, floor, result },
      null,
      2,
    ),
  );

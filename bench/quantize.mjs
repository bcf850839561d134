// The whole dynamic-fixed-point search: wall time, CPU time over all threads, peak memory, decisions.
//   npm run bench -- quantize [--model M --weights W --data LMDB --iterations 20 --threads 2 --json FILE]
// CPU seconds are this process's own accounting (user + system), from before the nets are read to the end,
// decoding included. The original's figures come from the reference data and were measured elsewhere.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { quantize } from '../dist/index.js';
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
  threads: options.threads ? Number(options.threads) : undefined,
});
const wall = Number(process.hrtime.bigint() - start) / 1e9;
const used = process.cpuUsage(before);
const cpu = (used.user + used.system) / 1e6;
const peak = process.resourceUsage().maxRSS / 1024;
rmSync(folder, { recursive: true });

console.log(`quantize ${options.mode}, ${options.iterations} iterations, ${machine()}`);
console.log(`wall ${wall.toFixed(1)} s, CPU ${cpu.toFixed(1)} s, peak memory ${peak.toFixed(0)} MB`);
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
    JSON.stringify({ machine: machine(), wall, cpu, peakMegabytes: peak, result }, null, 2),
  );

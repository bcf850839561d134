// Reading and writing caffemodels: time and growth of memory, in a process of its own for each.
//   npm run bench -- caffemodel [--megabytes 550 --rounds 3]
// The large file has VGG-16's layer shapes, scaled to the size asked for; it is written by our own encoder into a
// temporary folder. SqueezeNet's file comes from the reference data, where that is present.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { machine } from './tools/timing.mjs';

const module = new URL('../dist/proto/index.js', import.meta.url).href;
const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '550' },
    rounds: { type: 'string', default: '3' },
    // For the child processes.
    read: { type: 'string' },
    write: { type: 'string' },
  },
});

const vgg = [
  [64, 3, 3, 3],
  [64, 64, 3, 3],
  [128, 64, 3, 3],
  [128, 128, 3, 3],
  [256, 128, 3, 3],
  [256, 256, 3, 3],
  [256, 256, 3, 3],
  [512, 256, 3, 3],
  ...Array.from({ length: 5 }, () => [512, 512, 3, 3]),
  [4096, 25088],
  [4096, 4096],
  [1000, 4096],
];

function makeNet(create, bytes) {
  const count = vgg.flatMap((shape) => shape.reduce((a, b) => a * b)).reduce((a, b) => a + b);
  const factor = bytes / 4 / count;
  const layer = vgg.map(([outputs, ...rest], i) => {
    const rows = Math.max(1, Math.round(outputs * factor));
    const size = rows * rest.reduce((a, b) => a * b);
    return create('LayerParameter', {
      name: `layer${i}`,
      type: rest.length === 1 ? 'InnerProduct' : 'Convolution',
      blobs: [
        Object.assign(create('BlobProto', { shape: { dim: [rows, ...rest] } }), {
          data: new Float32Array(size).fill(i),
        }),
        Object.assign(create('BlobProto', { shape: { dim: [rows] } }), { data: new Float32Array(rows) }),
      ],
    });
  });
  return create('NetParameter', { name: 'large', layer });
}

if (options.read || options.write) {
  const { create, readNetBinary, writeNetBinary } = await import(module);
  const net = options.write ? makeNet(create, Number(options.megabytes) * 2 ** 20) : null;
  const rss = process.memoryUsage.rss();
  const start = process.hrtime.bigint();
  const result = options.write ? writeNetBinary(options.write, net) : readNetBinary(options.read);
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
  // maxRSS is the peak of the whole process, in KiB.
  const growth = process.resourceUsage().maxRSS * 1024 - rss;
  console.log(JSON.stringify({ milliseconds, growth, layers: (result ?? net).layer.length }));
} else {
  const self = fileURLToPath(import.meta.url);
  const child = (...args) => {
    const run = spawnSync(process.execPath, [self, '--megabytes', options.megabytes, ...args], {
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout);
  };
  const report = (what, path, results) => {
    const size = statSync(path).size;
    const times = results.map((r) => r.milliseconds).sort((a, b) => a - b);
    const growth = Math.max(...results.map((r) => r.growth)) / size;
    console.log(
      `${what}: ${(size / 2 ** 20).toFixed(1)} MiB, median ${times[times.length >> 1].toFixed(1)} ms` +
        ` (${times.map((t) => t.toFixed(1)).join(', ')}), peak memory growth ${growth.toFixed(2)} x the file`,
    );
  };
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-bench-'));
  try {
    console.log(machine());
    const large = join(folder, 'large.caffemodel');
    report('write', large, [child('--write', large)]);
    const rounds = Array.from({ length: Number(options.rounds) });
    report(
      'read',
      large,
      rounds.map(() => child('--read', large)),
    );
    const squeezenet = resolve(
      root,
      process.env.RISTRETTO_REFERENCE || '../shared',
      'data/squeezenet/squeezenet_v1.0.caffemodel',
    );
    if (existsSync(squeezenet))
      report(
        'read SqueezeNet',
        squeezenet,
        rounds.map(() => child('--read', squeezenet)),
      );
    else console.log(`no reference data at ${squeezenet}: SqueezeNet left out`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// Other trainers as contestants, each a process of its own. All get their images for free.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clone, create, printText, writeNetText } from '../../dist/index.js';

const TRAIN = 0;
// The first iterations find memory and threads.
const WARM_UP = 2;

function output(command, args, threads) {
  const env = { ...process.env, OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
  const { status, stdout, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${error?.message ?? stderr.split('\n').slice(-20).join('\n')}`,
    );
  return { stdout, stderr };
}

/** The net with images and labels that cost nothing, of these shapes. */
export function withoutData(net, shapes) {
  const copy = clone(net);
  copy.layer = copy.layer
    .filter(({ include }) => include.length === 0 || include.some(({ phase }) => phase === TRAIN))
    .map((layer) => {
      if (layer.type !== 'Data') return layer;
      const filler = (value) => create('FillerParameter', { type: 'constant', value });
      return create('LayerParameter', {
        name: layer.name,
        type: 'DummyData',
        top: layer.top,
        dummy_data_param: create('DummyDataParameter', {
          shape: shapes.map((dim) => create('BlobShape', { dim })),
          data_filler: [filler(50), filler(0)],
        }),
      });
    });
  return copy;
}

const SECONDS_OF_LOG = /^I\d+ (\d+):(\d+):(\d+\.\d+) .*\] Iteration \d+.*, loss = /gm;

/**
 * The original: `binary` is its `caffe`, built for the processor.
 * @returns a function that runs `iterations` iterations and gives the seconds of each, by the log's own times
 */
export function caffe(binary, { net, weights, solver, threads }) {
  return (iterations) => {
    const folder = mkdtempSync(join(tmpdir(), 'ristretto-bench-'));
    try {
      const model = join(folder, 'net.prototxt');
      writeNetText(model, net);
      const file = join(folder, 'solver.prototxt');
      const more = {
        net: model,
        display: 1,
        max_iter: iterations + WARM_UP + 1,
        solver_mode: 0,
        snapshot_after_train: false,
      };
      writeFileSync(file, printText(create('SolverParameter', { ...solver, ...more })));
      const { stderr } = output(binary, ['train', `--solver=${file}`, `--weights=${weights}`], threads);
      const times = [...stderr.matchAll(SECONDS_OF_LOG)].map(([, h, m, s]) => 3600 * h + 60 * m + Number(s));
      return times
        .map((time, i) => (time - times[i - 1] + 86400) % 86400)
        .slice(WARM_UP)
        .slice(0, iterations);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

/** PyTorch on SqueezeNet v1.0: `python` is a Python that has it. As `caffe`. */
export function pytorch(python, { batch, size, threads }) {
  const script = fileURLToPath(new URL('torch_training_cpu.py', import.meta.url));
  return (iterations) => {
    const args = Object.entries({ batch, size, threads, iterations }).flatMap(([k, v]) => [
      `--${k}`,
      String(v),
    ]);
    return JSON.parse(output(python, [script, ...args], threads).stdout);
  };
}

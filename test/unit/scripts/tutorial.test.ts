// The tutorial's scripts answer the variables of settings.sh: what they would run, with a `node` that tells it.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFlags } from '../../../lib/cli/parse-flags.js';
import { trainCommand } from '../../../lib/cli/commands/train.js';
import { readSolver } from '../../../lib/proto/index.js';

const scripts = resolve(import.meta.dirname, '../../../examples/ristretto');
const variables = ['MODEL', 'WEIGHTS', 'LMDB', 'TRAIN_LMDB', 'ITERATIONS', 'GPU', 'QUANTIZED'];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutorial '));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/node'), '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  chmodSync(join(folder, 'bin/node'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a script from `folder`; gives the arguments that `node` would have, or what it says where it fails. */
function run(script: string, set: Record<string, string>): string[] {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  for (const name of variables) delete (env as NodeJS.ProcessEnv)[name];
  const { stdout, stderr } = spawnSync('sh', [join(scripts, script), '--more'], {
    cwd: folder,
    env: { ...env, ...set },
    encoding: 'utf8',
  });
  return (stdout + stderr).trim().split('\n');
}

const all = {
  MODEL: 'net.prototxt',
  WEIGHTS: 'net.caffemodel',
  LMDB: 'val_lmdb',
  TRAIN_LMDB: '/data/train_lmdb',
  ITERATIONS: '7',
  GPU: '1',
};

describe("the tutorial's scripts", () => {
  it.each([
    [
      '00_quantize_squeezenet.sh',
      [
        '--model=@/net.prototxt',
        '--weights=@/net.caffemodel',
        '--model_quantized=@/my "q".prototxt',
        '--data=@/val_lmdb',
        '--train_data=/data/train_lmdb',
        '--gpu=1',
        '--iterations=7',
      ],
    ],
    [
      '01_finetune_squeezenet.sh',
      [
        '--solver=@/my "q"_solver.prototxt',
        '--weights=@/net.caffemodel',
        '--data=@/val_lmdb',
        '--train_data=/data/train_lmdb',
        '--gpu=1',
      ],
    ],
    [
      '02_benchmark_fixedpoint_squeezenet.sh',
      [
        '--model=@/my "q".prototxt',
        '--weights=@/net.caffemodel',
        '--data=@/val_lmdb',
        '--gpu=1',
        '--iterations=7',
      ],
    ],
    [
      'benchmark_floatingpoint_squeezenet.sh',
      [
        '--model=@/net.prototxt',
        '--weights=@/net.caffemodel',
        '--data=@/val_lmdb',
        '--gpu=1',
        '--iterations=7',
      ],
    ],
  ])('%s takes all variables', (script, flags) => {
    writeFileSync(join(folder, 'my "q".prototxt'), '');
    const given = run(script, { ...all, QUANTIZED: 'my "q".prototxt' });
    expect(given).toEqual(
      expect.arrayContaining([...flags.map((flag) => flag.replace('@', folder)), '--more']),
    );
  });

  it('fine-tuning trains the net that QUANTIZED names, scores ITERATIONS batches, and snapshots beside it', () => {
    const net = join(folder, 'my "q".prototxt');
    writeFileSync(net, '');
    const [, , ...flags] = run('01_finetune_squeezenet.sh', { ...all, QUANTIZED: 'my "q".prototxt' });
    const { values } = parseFlags(flags.slice(0, -1), trainCommand.options);
    const solver = readSolver(values.solver as string);
    expect(solver).toMatchObject({
      net,
      test_iter: [7],
      snapshot_prefix: join(folder, 'my "q"'),
      type: 'Adam',
    });
    // The next step finds them there.
    const snapshot = join(folder, 'my "q"_iter_100.caffemodel');
    writeFileSync(snapshot, '');
    const next = run('02_benchmark_fixedpoint_squeezenet.sh', { QUANTIZED: net });
    expect(next).toContain(`--weights=${snapshot}`);
  });

  it('say which quantised net is missing', () => {
    expect(run('01_finetune_squeezenet.sh', { ...all, QUANTIZED: 'none.prototxt' })).toEqual([
      `${folder}/none.prototxt is missing: 00_quantize_squeezenet.sh writes it.`,
    ]);
  });
});

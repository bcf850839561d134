// Training that was cut in two, each half a process of its own, against training in one go: bit for bit.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SolverEvent } from '../../lib/solver/index.js';
import { hasReference, reference } from './reference.js';

const baseFolder = join(reference, 'reference/solver');
const scratch = mkdtempSync(join(tmpdir(), 'ristretto-resume-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Everything that has a state of its own: crops, mirrors, dropout, stochastic weights, running means. */
const net = `
  layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.004 crop_size: 22 mirror: true }
    data_param { source: "small64_lmdb" batch_size: 12 backend: LMDB } }
  layer { name: "conv1" type: "ConvolutionRistretto" bottom: "data" top: "conv1"
    convolution_param { num_output: 6 kernel_size: 5 stride: 2 weight_filler { type: "xavier" } }
    quantization_param { precision: DYNAMIC_FIXED_POINT bw_layer_in: 8 bw_layer_out: 8 bw_params: 8
      fl_layer_in: 7 fl_layer_out: 5 fl_params: 7 rounding_scheme: STOCHASTIC } }
  layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "bn1" }
  layer { name: "relu1" type: "ReLU" bottom: "bn1" top: "bn1" }
  layer { name: "drop1" type: "Dropout" bottom: "bn1" top: "drop1" }
  layer { name: "ip1" type: "InnerProduct" bottom: "drop1" top: "ip1"
    inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip1" bottom: "label" top: "loss" }
  layer { name: "accuracy" type: "Accuracy" bottom: "ip1" bottom: "label" top: "accuracy" include { phase: TEST } }`;

const solver = (maxIter: number, snapshot: number, more: string) => `
  net_param { ${net} } type: "Adam" momentum: 0.9 base_lr: 0.002 lr_policy: "step" stepsize: 15 gamma: 0.5
  weight_decay: 0.001 iter_size: 2 average_loss: 7 display: 3 test_iter: 2 test_interval: 8 test_compute_loss: true
  max_iter: ${maxIter} random_seed: 5 snapshot: ${snapshot} ${more}`;

interface Run {
  events: SolverEvent[];
  code: number | null;
  stderr: string;
}

let count = 0;
/** Trains in another process; `killAt` ends it without warning when it has said so many lines. */
function train(
  prefix: string,
  {
    maxIter = 40,
    snapshot = 20,
    more = '',
    threads = 1,
    resume = undefined as string | undefined,
    killAt = Infinity,
  } = {},
): Promise<Run> {
  const path = join(scratch, `solver${count++}.prototxt`);
  writeFileSync(path, solver(maxIter, snapshot, more));
  const options = JSON.stringify({
    solver: path,
    baseFolder,
    prefix: join(scratch, prefix),
    threads,
    resume,
  });
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'train-child.mjs'), options]);
  let output = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > killAt) child.kill('SIGKILL');
  });
  return new Promise((done) =>
    child.on('close', (code) => {
      const lines = output.split('\n').slice(0, -1);
      done({ events: lines.map((line) => JSON.parse(line) as SolverEvent), code, stderr });
    }),
  );
}

const file = (prefix: string, iteration: number, name: string) =>
  join(scratch, `${prefix}_iter_${iteration}.${name}`);

function expectSameSnapshot(a: string, b: string, iteration: number, suffix = ''): void {
  expect(readFileSync(file(a, iteration, `caffemodel${suffix}`))).toEqual(
    readFileSync(file(b, iteration, `caffemodel${suffix}`)),
  );
  const side = (prefix: string) => readFileSync(file(prefix, iteration, 'ristretto.json'), 'utf8');
  // It holds the digest of the histories; the solverstates themselves differ in the model's name.
  expect(side(a)).toBe(side(b));
}

/** What was said from the first event of an iteration on, without the names of files. */
const from = (events: SolverEvent[], iteration: number) =>
  events
    .filter((event) => 'iteration' in event && event.iteration >= iteration && event.kind !== 'snapshot')
    .filter((event) => !(event.kind === 'iterated' && event.iteration === iteration));

describe.skipIf(!hasReference)('a resumed run', () => {
  let whole: Run;
  beforeAll(async () => {
    whole = await train('whole');
    expect(whole.stderr).toBe('');
    expect(whole.code).toBe(0);
  });

  it('goes on as if it had never ended', async () => {
    const first = await train('half', { maxIter: 20 });
    expect(first.code).toBe(0);
    expect(from(first.events, 0)).toEqual(from(whole.events, 0).slice(0, from(first.events, 0).length));
    const second = await train('half', { resume: file('half', 20, 'solverstate') });
    expect(second.stderr).toBe('');
    expectSameSnapshot('whole', 'half', 40);
    expect(from(second.events, 20)).toEqual(from(whole.events, 20));
    expect(second.events.some(({ kind }) => kind === 'warning')).toBe(false);
  });

  it('gives the same on two threads', async () => {
    await train('threads', { threads: 2 });
    expectSameSnapshot('whole', 'threads', 20);
    expectSameSnapshot('whole', 'threads', 40);
  });

  it('goes on from HDF5 as well', async () => {
    const more = 'snapshot_format: HDF5';
    await train('hdf5', { more });
    const events = (await train('hdf5', { more, resume: file('hdf5', 20, 'solverstate.h5') })).events;
    expect(from(events, 20)).toEqual(from(whole.events, 20));
    expect(readFileSync(file('hdf5', 40, 'ristretto.json'), 'utf8')).toBe(
      readFileSync(file('whole', 40, 'ristretto.json'), 'utf8'),
    );
  });

  it('goes on from whatever was complete when it was killed', async () => {
    for (const killAt of [9, 16, 30]) {
      const prefix = `killed${killAt}`;
      await train(prefix, { snapshot: 1, killAt });
      const states = readdirSync(scratch).filter(
        (name) => name.startsWith(`${prefix}_iter_`) && name.endsWith('.solverstate'),
      );
      expect(states.length).toBeGreaterThan(0);
      const last = Math.max(...states.map((name) => Number(/_iter_(\d+)\./.exec(name)![1])));
      const { events, stderr } = await train(prefix, {
        snapshot: 1,
        resume: file(prefix, last, 'solverstate'),
      });
      expect(stderr).toBe('');
      expect(events.some(({ kind }) => kind === 'warning')).toBe(false);
      expectSameSnapshot('whole', prefix, 40);
    }
  });

  it('says once what it cannot repeat without the side file', async () => {
    for (const name of ['caffemodel', 'solverstate'])
      copyFileSync(file('whole', 20, name), file('bare', 20, name));
    const { events } = await train('bare', { resume: file('bare', 20, 'solverstate') });
    const warnings = events.filter((event) => event.kind === 'warning');
    expect(warnings.map(({ message }) => message)).toEqual([
      `resumes as the original does, data and random numbers from their start: ${file('bare', 20, 'ristretto.json')} is not there`,
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'tested', iteration: 40 });
    expect(readFileSync(file('bare', 40, 'caffemodel'))).not.toEqual(
      readFileSync(file('whole', 40, 'caffemodel')),
    );
  });
});

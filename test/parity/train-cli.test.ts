// `caffe train` as a shell sees it: the original's log, signals, going on from a snapshot, errors.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readNetBinary } from '../../lib/proto/index.js';
import { run, start, type Running } from './cli.js';
import { hasReference, reference } from './reference.js';

const folder = mkdtempSync(join(tmpdir(), 'train-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const net = join(folder, 'net.prototxt');
writeFileSync(
  net,
  `name: "tiny"
  layer { name: "data" type: "DummyData" top: "data" top: "label"
    dummy_data_param {
      shape { dim: 4 dim: 6 } shape { dim: 4 }
      data_filler { type: "gaussian" } data_filler { type: "constant" value: 1 } } }
  layer { name: "score" type: "InnerProduct" bottom: "data" top: "score"
    inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
  layer { name: "accuracy" type: "Accuracy" bottom: "score" bottom: "label" top: "accuracy" include { phase: TEST } }`,
);

let count = 0;
/** Writes a solver; its prefix. */
function solver(fields: string): { file: string; prefix: string } {
  const prefix = join(folder, `run${count++}`);
  const file = `${prefix}.prototxt`;
  writeFileSync(
    file,
    `net: "${net}" base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" random_seed: 3 snapshot_prefix: "${prefix}" ${fields}`,
  );
  return { file, prefix };
}

const linesOf = (stderr: string) =>
  [...stderr.matchAll(/^\S+ \S+ +\d+ (\S+)\] (.*)$/gm)].map((m) => m.slice(1));

async function until(running: Running, pattern: RegExp): Promise<void> {
  while (!pattern.test(running.stderr())) await new Promise((done) => setTimeout(done, 20));
}

describe('caffe train', { timeout: 60_000 }, () => {
  it("logs the original's lines", async () => {
    const { file, prefix } = solver(
      'max_iter: 6 display: 2 test_iter: 2 test_interval: 3 snapshot: 3 clip_gradients: 0.01',
    );
    const json = join(folder, 'train.json');
    const { code, stderr } = await run('caffe', [
      'train',
      `--solver=${file}`,
      '--log=glog',
      `--json=${json}`,
    ]);
    expect(code).toBe(0);
    const number = '[-+.\\de]+';
    const expected = [
      ['caffe.cpp:197', 'Use CPU\\.'],
      ['caffe.cpp:239', 'Starting Optimization'],
      ['solver.cpp:289', 'Solving tiny'],
      ['solver.cpp:290', 'Learning Rate Policy: fixed'],
      ['ristretto.ts:0', 'training takes .*: parameters .*, activations .*, gradients .*'],
      ['solver.cpp:347', 'Iteration 0, Testing net \\(#0\\)'],
      ['solver.cpp:414', `    Test net output #0: accuracy = ${number}`],
      ['solver.cpp:414', `    Test net output #1: loss = (${number}) \\(\\* 1 = ${number} loss\\)`],
      ['solver.cpp:239', `Iteration 0 \\(${number} iter/s, ${number}s/2 iters\\), loss = ${number}`],
      ['solver.cpp:258', `    Train net output #0: loss = ${number} \\(\\* 1 = ${number} loss\\)`],
      ['sgd_solver.cpp:112', 'Iteration 0, lr = 0\\.1'],
      [
        'sgd_solver.cpp:99',
        `Gradient clipping: scaling down gradients \\(L2 norm ${number} > 0\\.01\\) by scale factor ${number}`,
      ],
    ];
    const lines = linesOf(stderr);
    for (const [i, [site, text]] of expected.entries()) {
      expect(lines[i][0]).toBe(site);
      expect(lines[i][1]).toMatch(new RegExp(`^${text}$`));
    }
    const texts = lines.map(([, text]) => text);
    expect(texts).toContain(`Snapshotting to binary proto file ${prefix}_iter_3.caffemodel`);
    expect(texts).toContain(`Snapshotting solver state to binary proto file ${prefix}_iter_6.solverstate`);
    expect(texts.filter((text) => text.startsWith('Iteration 6'))).toEqual([
      expect.stringMatching(/^Iteration 6, loss = /),
      'Iteration 6, Testing net (#0)',
    ]);
    expect(texts.slice(-2)).toEqual(['Optimization Done.', 'Optimization Done.']);
    const data = JSON.parse(readFileSync(json, 'utf8'));
    expect(data).toMatchObject({ iteration: 6, iterations: 6, stopped: false, batch: 4, seed: 3 });
    expect(data.displayed.map((entry: { iteration: number }) => entry.iteration)).toEqual([0, 2, 4, 6]);
    expect(data.displayed[1].learningRate).toBe(Math.fround(0.1));
    expect(data.tests).toHaveLength(3);
    expect(data.imagesPerSecond).toBeGreaterThan(0);
    expect(data.memory.gradients).toBeGreaterThan(0);
  });

  it('stops on Ctrl-C with a snapshot, and goes on from it to the same weights', async () => {
    const whole = solver('max_iter: 400 snapshot: 400');
    expect((await run('caffe', ['train', `--solver=${whole.file}`])).code).toBe(0);
    const cut = solver('max_iter: 400 snapshot: 400 display: 1');
    const running = start('caffe', ['train', `--solver=${cut.file}`, '--log=glog']);
    await until(running, /Iteration 2 /);
    running.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/Optimization stopped early\./);
    const state = /Snapshotting solver state to binary proto file (\S+)/.exec(stderr)![1];
    expect(state).not.toMatch(/_iter_400/);
    const resumed = await run('caffe', [
      'train',
      `--solver=${cut.file}`,
      `--snapshot=${state}`,
      '--log=glog',
    ]);
    expect(resumed.code).toBe(0);
    expect(linesOf(resumed.stderr).map(([, text]) => text)).toContain(`Resuming from ${state}`);
    const weights = ({ prefix }: { prefix: string }) =>
      readNetBinary(`${prefix}_iter_400.caffemodel`).layer.flatMap(({ blobs }) =>
        blobs.map((blob) => Array.from(blob.data)),
      );
    expect(weights(cut)).toEqual(weights(whole));
  });

  it('takes a snapshot on SIGHUP and goes on', async () => {
    const { file, prefix } = solver('max_iter: 1000000 display: 50 snapshot_after_train: false');
    const running = start('caffe', ['train', `--solver=${file}`, '--log=glog', '--sigint_effect=none']);
    await until(running, /Iteration 50 /);
    running.kill('SIGHUP');
    await until(running, /Snapshotting solver state/);
    const iteration = Number(/_iter_(\d+)\.solverstate/.exec(running.stderr())![1]);
    running.kill('SIGINT');
    await until(running, new RegExp(`Iteration ${50 * Math.ceil(iteration / 50) + 100} `));
    running.kill('SIGTERM');
    const { code, stderr } = await running.finished;
    expect(code).toBe(143);
    expect(stderr).toMatch(/SIGTERM: stopping/);
    expect(existsSync(`${prefix}_iter_${iteration}.ristretto.json`)).toBe(true);
  });

  it('keeps the best weights and stops where tests get no better', async () => {
    // A learning rate of 0: no test is better than the first.
    const { file, prefix } = solver(
      'max_iter: 100 test_iter: 1 test_interval: 1 snapshot_after_train: false',
    );
    writeFileSync(file, readFileSync(file, 'utf8').replace('base_lr: 0.1', 'base_lr: 0'));
    const args = ['train', `--solver=${file}`, '--log=glog', '--watch=loss', '--best', '--patience=3'];
    const { code, stderr } = await run('caffe', args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/best test so far: \S+ at iteration 0, kept as /);
    expect(stderr).toMatch(/no better test/);
    expect(existsSync(`${prefix}_best.caffemodel`)).toBe(true);
  });

  it('makes as many updates as --iterations says', async () => {
    const { file, prefix } = solver('max_iter: 100');
    const { code } = await run('caffe', ['train', `--solver=${file}`, '--iterations=5']);
    expect(code).toBe(0);
    expect(existsSync(`${prefix}_iter_5.solverstate`)).toBe(true);
  });

  it('trims activations with --train_activations', async () => {
    const { file } = solver('max_iter: 1 display: 1');
    const coarse = `${file}.net`;
    writeFileSync(
      coarse,
      readFileSync(net, 'utf8')
        .replace('"InnerProduct"', '"FcRistretto"')
        .replace(
          'inner_product_param',
          'quantization_param { bw_layer_out: 1 fl_layer_out: -9 } inner_product_param',
        ),
    );
    writeFileSync(file, readFileSync(file, 'utf8').replace(net, coarse));
    const loss = async (...flags: string[]) => {
      const { code, stderr } = await run('caffe', ['train', `--solver=${file}`, '--log=glog', ...flags]);
      expect(code).toBe(0);
      return Number(/loss = (\S+)/.exec(stderr)![1]);
    };
    // In steps of 512 all scores are 0, and the loss is that of three classes alike.
    expect(await loss('--train_activations')).toBeCloseTo(Math.log(3), 5);
    expect(await loss()).not.toBeCloseTo(Math.log(3), 5);
  });

  it.each([
    [[], /Need a solver definition to train/],
    [['--solver=nowhere.prototxt'], /nowhere\.prototxt/],
    [['--solver=$S', '--snapshot=a', '--weights=b'], /not both/],
    [['--solver=$S', '--snapshot=nowhere.solverstate'], /nowhere\.solverstate/],
    [['--solver=$S', '--sigint_effect=jump'], /sigint_effect/],
    [['--solver=$S', '--patience=2'], /--watch/],
    [['--solver=$S', '--watch=nonsense'], /no output 'nonsense'; its outputs are accuracy, loss/],
    [['--solver=$S', '--require_gpu'], /no usable GPU/],
  ])('refuses %j', async (args, message) => {
    const { file } = solver('max_iter: 2 test_iter: 1 test_interval: 1');
    const { code, stderr } = await run('caffe', ['train', ...args.map((arg) => arg.replace('$S', file))]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });

  it.skipIf(!hasReference)("displays the original's losses and learning rates", async () => {
    const given = join(reference, 'reference/solver/sgd');
    const file = join(folder, 'sgd.prototxt');
    const text = readFileSync(join(given, 'solver.prototxt'), 'utf8')
      .replace('"out"', `"${join(folder, 'sgd')}"`)
      .replace('"net.prototxt"', `"${join(folder, 'sgd-net.prototxt')}"`);
    writeFileSync(file, text);
    const source = join(reference, 'reference/solver');
    const netText = readFileSync(join(source, 'net.prototxt'), 'utf8');
    writeFileSync(join(folder, 'sgd-net.prototxt'), netText);
    const { code, stderr } = await run('caffe', [
      'train',
      `--solver=${file}`,
      `--weights=${join(source, 'start.caffemodel')}`,
      `--data=${join(source, 'small64_lmdb')}`,
      '--log=glog',
    ]);
    expect(code).toBe(0);
    const log = JSON.parse(readFileSync(join(given, 'log.json'), 'utf8'));
    const all = (pattern: RegExp) => [...stderr.matchAll(pattern)].map((match) => Number(match[1]));
    expect(all(/Iteration \d+ \(.*\), loss = (\S+)/g)).toEqual(log.displayedLosses);
    expect(all(/Iteration \d+, loss = (\S+)/g)).toEqual(log.finalLoss);
    expect(all(/lr = (\S+)/g)).toEqual(log.learningRates);
  });
});

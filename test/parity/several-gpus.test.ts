// caffe train and test with a list of GPUs, that the host executor plays.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWeights } from '../../lib/proto/index.js';
import { run } from './cli.js';

const folder = mkdtempSync(join(tmpdir(), 'several-gpus-'));
const at = (name: string) => join(folder, name);
const letters = resolve(import.meta.dirname, '../../examples/letters');
const weights = `--weights=${join(letters, 'letters.caffemodel')}`;
const gpus = { RISTRETTO_EMULATED_GPU: '3' };

beforeAll(async () => {
  const drawn = await run('ristretto', ['draw_imageset', at('train'), at('test'), '--train=16', '--test=16']);
  expect(drawn.code, drawn.stderr).toBe(0);
  const net = readFileSync(join(letters, 'train_val.prototxt'), 'utf8')
    .replaceAll('quickstart-output/train_lmdb', at('train'))
    .replaceAll('quickstart-output/test_lmdb', at('test'));
  for (const batch of [2, 4])
    writeFileSync(at(`net${batch}.prototxt`), net.replace(/batch_size: \d+/g, `batch_size: ${batch}`));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('caffe train --gpu', () => {
  const train = async (prefix: string, batch: number, flags: string[]) => {
    writeFileSync(
      at(`${prefix}.prototxt`),
      `net: "${at(`net${batch}.prototxt`)}" base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 max_iter: 2 display: 1 ` +
        `snapshot_prefix: "${at(prefix)}" random_seed: 3`,
    );
    return run('caffe', ['train', `--solver=${at(`${prefix}.prototxt`)}`, ...flags], gpus);
  };
  const params = async (prefix: string) =>
    (await readWeights(at(`${prefix}_iter_2.caffemodel`))).layer.flatMap(({ blobs }) =>
      blobs.map(({ data }) => Float32Array.from(data)),
    );
  const losses = (log: string) => [...log.matchAll(/, loss = (\S+)/g)].map((found) => Number(found[1]));

  it('0,1: trains as one does with the whole batch, and as it did before', { timeout: 180_000 }, async () => {
    const alone = await train('alone', 4, [weights, '--gpu=0']);
    expect(alone.code, alone.stderr).toBe(0);
    const json = at('several.json');
    const several = await train('several', 2, [weights, '--gpu=0,1', `--json=${json}`]);
    expect(several.code, several.stderr).toBe(0);
    expect(several.stderr).toMatch(/Using GPUs 0, 1\n.*GPU 0: emulated\n.*GPU 1: emulated\n/);
    expect(several.stderr).not.toMatch(/alone is used/);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ batch: 4, gpus: [0, 1] });
    expect(losses(several.stderr)).toHaveLength(3);
    losses(several.stderr).forEach((loss, i) => expect(loss).toBeCloseTo(losses(alone.stderr)[i], 4));
    const [expected, found] = [await params('alone'), await params('several')];
    found.forEach((values, i) =>
      values.forEach((value, k) => expect(Math.abs(value - expected[i][k])).toBeLessThan(1e-5)),
    );
    expect((await train('again', 2, [weights, '--gpu=0,1'])).code).toBe(0);
    expect(await params('again')).toEqual(found);
  });

  it('says what is wrong with a list', async () => {
    const unknown = await train('unknown', 2, ['--gpu=0,3']);
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toMatch(/flag --gpu: '0,3': there is no GPU 3: this machine has 3/);
    const twice = await train('twice', 2, ['--gpu=1,1']);
    expect(twice.code).not.toBe(0);
    expect(twice.stderr).toMatch(/flag --gpu: '1,1' names GPU 1 twice/);
  });
});

describe('caffe test --gpu', () => {
  const test = async (flags: string[], env: Record<string, string> = gpus) => {
    const args = ['test', `--model=${at('net2.prototxt')}`, weights, '--iterations=4', ...flags];
    const done = await run('caffe', args, env);
    expect(done.code, done.stderr).toBe(0);
    const lines = done.stderr.split('\n').map((line) => line.replace(/^.*?\] /, ''));
    return { log: done.stderr, scores: lines.filter((line) => /^Batch|^Loss| = /.test(line)) };
  };

  it.each(['0,1', 'all'])('%s: gives the scores of one', async (list) => {
    const alone = await test(['--gpu=0']);
    const several = await test([`--gpu=${list}`]);
    expect(several.log).toMatch(list === 'all' ? /Using GPUs 0, 1, 2/ : /Using GPUs 0, 1/);
    expect(new Set(alone.scores).size).toBeGreaterThan(8);
    expect(several.scores).toEqual(alone.scores);
  });

  it('uses the processor after a warning where there is no GPU at all', async () => {
    const { log } = await test(['--gpu=0,1'], { RISTRETTO_EMULATED_GPU: '' });
    expect(log).toMatch(/no usable GPU: .*--gpu=0,1 runs on the CPU/);
    expect(log).toMatch(/Use CPU/);
  });
});

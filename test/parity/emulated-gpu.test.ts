// The commands with --gpu, on a GPU that the host executor plays: kernels, and the ops that fall back to the
// processor, in whole nets.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWeights } from '../../lib/proto/index.js';
import { run } from './cli.js';
import { hasReference, reference } from './reference.js';

const folder = mkdtempSync(join(tmpdir(), 'emulated-gpu-'));
const at = (name: string) => join(folder, name);
const letters = resolve(import.meta.dirname, '../../examples/letters');
const weights = `--weights=${join(letters, 'letters.caffemodel')}`;
const gpu = { RISTRETTO_EMULATED_GPU: '1' };
/** Convolutions on codes by the kernel for Hopper. */
const warpgroups = { RISTRETTO_WARPGROUPS: '1' };

beforeAll(async () => {
  const drawn = await run('ristretto', ['draw_imageset', at('train'), at('test'), '--train=16', '--test=16']);
  expect(drawn.code, drawn.stderr).toBe(0);
  const net = readFileSync(join(letters, 'train_val.prototxt'), 'utf8')
    .replaceAll('quickstart-output/train_lmdb', at('train'))
    .replaceAll('quickstart-output/test_lmdb', at('test'))
    .replace(/batch_size: \d+/g, 'batch_size: 4');
  writeFileSync(at('net.prototxt'), net);
  const quantised = await run('ristretto', [
    'quantize',
    `--model=${at('net.prototxt')}`,
    weights,
    '--trimming_mode=dynamic_fixed_point',
    '--iterations=1',
    '--error_margin=50',
    `--model_quantized=${at('quantized.prototxt')}`,
  ]);
  expect(quantised.code, quantised.stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('--gpu', () => {
  it('is answered with what the GPU is', async () => {
    const devices = await run('ristretto', ['devices', `--json=${at('devices.json')}`], gpu);
    expect(devices.stdout).toMatch(/GPU 0: +emulated, compute capability 8\.0/);
    expect(JSON.parse(readFileSync(at('devices.json'), 'utf8')).gpus).toHaveLength(1);
  });

  it('names the GPU that is not there', async () => {
    const args = ['test', `--model=${at('net.prototxt')}`, weights, '--iterations=1', '--gpu=3'];
    const warned = await run('caffe', args, gpu);
    expect(warned.code, warned.stderr).toBe(0);
    expect(warned.stderr).toMatch(/there is no GPU 3: this machine has 1.*runs on the CPU/);
    const refused = await run('caffe', [...args, '--require_gpu'], gpu);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/no usable GPU: there is no GPU 3/);
  });

  it('stops where blobs need more memory than --gpu_memory gives', async () => {
    const large = readFileSync(at('net.prototxt'), 'utf8').replace(/batch_size: \d+/g, 'batch_size: 256');
    writeFileSync(at('large.prototxt'), large);
    const args = ['test', `--model=${at('large.prototxt')}`, weights, '--iterations=1', '--gpu=0'];
    const small = await run('caffe', [...args, '--gpu_memory=1'], gpu);
    expect(small.code).toBe(1);
    expect(small.stderr).toMatch(/cannot allocate \d+ bytes on GPU 0/);
  });

  it('scores a float net as the processor does', async () => {
    const means = async (flag: string[]) => {
      const args = [
        'test',
        `--model=${at('net.prototxt')}`,
        weights,
        '--iterations=2',
        `--json=${at('s.json')}`,
      ];
      const done = await run('caffe', [...args, ...flag], gpu);
      expect(done.code, done.stderr).toBe(0);
      return { log: done.stderr, scores: JSON.parse(readFileSync(at('s.json'), 'utf8')) };
    };
    const cpu = await means([]);
    const device = await means(['--gpu=0']);
    expect(device.log).toMatch(/Use GPU with device ID 0/);
    expect(cpu.log).toMatch(/Use CPU/);
    const values = ({ scores }: typeof cpu) => Object.values(scores.outputs as Record<string, number>);
    expect(values(cpu).length).toBeGreaterThan(1);
    values(device).forEach((mean: number, i: number) => expect(mean).toBeCloseTo(values(cpu)[i], 5));
    const rounded = await means(['--gpu=0', '--math=bf16']);
    expect(values(rounded)).not.toEqual(values(device));
    values(rounded).forEach((mean: number, i: number) => expect(mean).toBeCloseTo(values(cpu)[i], 1));
  });

  it('gives the codes of the definitions', async () => {
    const args = [
      'verify',
      `--model=${at('quantized.prototxt')}`,
      weights,
      '--batch=2',
      '--against=ref',
      '--gpu=0',
    ];
    const verified = await run('ristretto', args, gpu);
    expect(verified.code, verified.stderr).toBe(0);
    expect(verified.stdout).toMatch(/^0 of \d+ codes differ/m);
  });

  it.each(['net.prototxt', 'quantized.prototxt'])('trains %s as the processor does', async (net) => {
    const solver = at('solver.prototxt');
    const text = (prefix: string) =>
      `net: "${at(net)}" base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.0005 max_iter: 2 display: 1 ` +
      `snapshot_prefix: "${at(prefix)}" solver_mode: CPU random_seed: 3 type: "SGD"`;
    const train = async (prefix: string, flags: string[]) => {
      writeFileSync(solver, text(prefix));
      const done = await run('caffe', ['train', `--solver=${solver}`, weights, ...flags], gpu);
      expect(done.code, done.stderr).toBe(0);
      const { layer } = await readWeights(at(`${prefix}_iter_2.caffemodel`));
      return layer.flatMap(({ name, blobs }) =>
        blobs.map((blob, i) => ({ name: `${name} ${i}`, data: blob.data })),
      );
    };
    const cpu = await train('cpu', []);
    const device = await train('gpu', ['--gpu=0']);
    expect(device.map(({ name }) => name)).toEqual(cpu.map(({ name }) => name));
    cpu.forEach(({ name, data }, i) => {
      let largest = 0;
      let difference = 0;
      data.forEach((value: number, j: number) => {
        largest = Math.max(largest, Math.abs(value));
        difference = Math.max(difference, Math.abs(value - device[i].data[j]));
      });
      expect(difference, name).toBeLessThanOrEqual(1e-5 * largest + 1e-9);
    });
  });
});

describe.skipIf(!hasReference)('SqueezeNet with --gpu', () => {
  const inputs = [
    `--weights=${join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel')}`,
    `--data=${join(reference, 'data/imagenet/lmdb')}`,
  ];

  it('gives the codes of the definitions in every layer', { timeout: 240_000 }, async () => {
    const quantised = await run('ristretto', [
      'quantize',
      `--model=${join(reference, 'data/squeezenet/train_val.prototxt')}`,
      ...inputs,
      '--trimming_mode=dynamic_fixed_point',
      '--iterations=1',
      '--error_margin=50',
      `--model_quantized=${at('squeezenet.prototxt')}`,
    ]);
    expect(quantised.code, quantised.stderr).toBe(0);
    const args = [
      'verify',
      `--model=${at('squeezenet.prototxt')}`,
      ...inputs,
      '--batch=1',
      '--against=ref',
      '--gpu=0',
    ];
    for (const kernels of [{}, warpgroups]) {
      const verified = await run('ristretto', args, { ...gpu, ...kernels });
      expect(verified.code, verified.stderr).toBe(0);
      expect(verified.stderr).toMatch(/Use GPU with device ID 0/);
      expect(verified.stdout).toMatch(/^0 of 5226411 codes differ/m);
    }
  });
});

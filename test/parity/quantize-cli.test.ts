// `bin/ristretto quantize` and `bin/caffe` as a user's scripts call them: flags, log lines, JSON, exit codes,
// a search that is killed and resumed.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, start } from './cli.js';
import { hasReference, reference } from './reference.js';

const small = join(reference, 'reference/small');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const flags = (output: string, more: Record<string, string | number> = {}) =>
  Object.entries({
    model: join(small, 'net.prototxt'),
    weights: join(small, 'trained.caffemodel'),
    model_quantized: output,
    trimming_mode: 'dynamic_fixed_point',
    data: join(reference, 'reference/solver/small64_lmdb'),
    iterations: 2,
    error_margin: 3,
    ...more,
  }).map(([name, value]) => `--${name}=${value}`);

const LOG_LINE = /^[IW]\d{4} \d\d:\d\d:\d\d\.\d{6}\s+\d+ (\S+):\d+\] (.*)$/;
const texts = (stderr: string) =>
  stderr
    .trimEnd()
    .split('\n')
    .map((line) => LOG_LINE.exec(line)?.[2] ?? `NOT A LOG LINE: ${line}`);

describe.skipIf(!hasReference)('ristretto quantize', { timeout: 60_000 }, () => {
  it("logs what the original logs, in the original's order", async () => {
    const output = join(folder, 'log.prototxt');
    const json = join(folder, 'log.json');
    const { code, stderr, stdout } = await run('ristretto', ['quantize', ...flags(output), `--json=${json}`]);
    expect(stderr).not.toMatch(/NOT A LOG LINE/);
    expect(code).toBe(0);
    expect(stdout).toBe('');
    const lines = texts(stderr);
    const info = stderr
      .split('\n')
      .filter((line) => line.startsWith('I'))
      .map((line) => LOG_LINE.exec(line)![2]);
    expect(lines.every((line) => !line.startsWith('NOT'))).toBe(true);
    expect(info.slice(0, 8)).toEqual([
      'Use CPU.',
      'Running for 2 iterations.',
      'Batch 0, accuracy = 1',
      expect.stringMatching(/^Batch 0, loss = /),
      'Batch 1, accuracy = 1',
      expect.stringMatching(/^Batch 1, loss = /),
      expect.stringMatching(/^Loss: /),
      'accuracy = 1',
    ]);
    expect(info[8]).toMatch(/^loss = (\S+) \(\* 1 = \1 loss\)$/);
    expect(info[9]).toBe('Running for 10 iterations.');
    const lengths = info.findIndex((line) => line.startsWith('Layer conv1'));
    expect(info[lengths]).toBe(
      'Layer conv1, integer length input=0, integer length output=3, integer length parameters=0',
    );
    // Ladders of 1, 4 and 1 steps, and the combined net.
    expect(info.slice(lengths).filter((line) => line === 'Running for 2 iterations.')).toHaveLength(7);
    const summary = info.indexOf('------------------------------');
    expect(info.slice(summary)).toEqual([
      '------------------------------',
      'Network accuracy analysis for',
      'Convolutional (CONV) and fully',
      'connected (FC) layers.',
      'Baseline 32bit float: 1',
      'Dynamic fixed point CONV',
      'weights: ',
      '16bit: \t0.875',
      'Dynamic fixed point FC',
      'weights: ',
      '16bit: \t1',
      '8bit: \t1',
      '4bit: \t1',
      '2bit: \t0.625',
      'Dynamic fixed point layer',
      'activations:',
      '16bit: \t0.875',
      'Dynamic fixed point net:',
      '32bit CONV weights,',
      '4bit FC weights,',
      '32bit layer activations:',
      'Accuracy: 0.53125',
      'Please fine-tune.',
    ]);
    const data = JSON.parse(readFileSync(json, 'utf8'));
    expect(data).toMatchObject({
      baseline: 1,
      convWeights: { 16: 0.875 },
      fcWeights: { 16: 1, 8: 1, 4: 1, 2: 0.625 },
      activations: { 16: 0.875 },
      chosen: { convWeights: 32, fcWeights: 4, activations: 32 },
      combined: 0.53125,
    });
    expect(data.seconds).toBeGreaterThan(0);
    expect(data.integerLengths[0]).toEqual({ layer: 'conv1', input: 0, output: 3, parameters: 0 });
    expect(existsSync(`${output}.journal`)).toBe(false);
    expect(readFileSync(output, 'utf8')).toBe(
      readFileSync(join(small, 'out_dynamic_fixed_point.prototxt'), 'utf8'),
    );
  });

  it('continues after kill -9 and ends with the same summary', async () => {
    const settings = { iterations: 25, calibration_iterations: 5 };
    const whole = join(folder, 'whole.json');
    await run('ristretto', [
      'quantize',
      ...flags(join(folder, 'whole.prototxt'), settings),
      `--json=${whole}`,
    ]);
    const output = join(folder, 'killed.prototxt');
    const killed = start('ristretto', ['quantize', ...flags(output, settings)]);
    const journal = `${output}.journal`;
    const records = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 1 : 0);
    let ended = false;
    void killed.finished.then(() => (ended = true));
    while (records() < 3 && !ended) await new Promise((done) => setTimeout(done, 2));
    killed.kill('SIGKILL');
    expect((await killed.finished).signal).toBe('SIGKILL');
    expect(existsSync(output)).toBe(false);
    expect(records()).toBeGreaterThanOrEqual(3);
    // A crash can also cut a line short.
    writeFileSync(journal, readFileSync(journal, 'utf8') + '{"kind":"scores","net":"');
    const json = join(folder, 'resumed.json');
    const resumed = await run('ristretto', [
      'quantize',
      ...flags(output, settings),
      '--resume',
      `--json=${json}`,
    ]);
    expect(resumed.code).toBe(0);
    const [a, b] = [whole, json].map((file) => JSON.parse(readFileSync(file, 'utf8')));
    expect({ ...b, seconds: 0 }).toEqual({ ...a, seconds: 0 });
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(join(folder, 'whole.prototxt'), 'utf8'));
    expect(existsSync(journal)).toBe(false);
  });

  it('stops cleanly at Ctrl-C and keeps its journal', async () => {
    const output = join(folder, 'stopped.prototxt');
    const running = start('ristretto', ['quantize', ...flags(output, { iterations: 2000 })]);
    while (!running.stderr().includes('Batch 3,')) await new Promise((done) => setTimeout(done, 5));
    running.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/SIGINT: stopping/);
    expect(existsSync(`${output}.journal`)).toBe(true);
    expect(existsSync(output)).toBe(false);
  });

  it('warns once where a GPU is asked for, and fails where it is required', async () => {
    const { code, stderr } = await run('ristretto', [
      'quantize',
      ...flags(join(folder, 'gpu.prototxt'), { gpu: 0, trimming_mode: 'integer_power_of_2_weights' }),
    ]);
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => line.includes('GPU'))).toHaveLength(1);
    const required = await run('ristretto', [
      'quantize',
      ...flags(join(folder, 'gpu.prototxt')),
      '--require-gpu',
    ]);
    expect(required.code).not.toBe(0);
    expect(required.stderr).toMatch(/no usable GPU/);
  });

  it.each([
    [['quantise'], /unknown action: quantise; did you mean quantize/],
    [['quantize', '--modle=x'], /unknown flag --modle; did you mean --model\?/],
    [['quantize', '--weights'], /--weights needs a value/],
    [['quantize', '--model=x'], /Need model weights to score/],
    [['quantize', '--trimming_mode=fixed'], /--trimming_mode: 'fixed' is not one of/],
  ])('answers %j', async (args, message) => {
    const { code, stderr } = await run('ristretto', args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('checks the output path before the work', async () => {
    const { code, stderr } = await run('ristretto', ['quantize', ...flags('/nonexistent/out.prototxt')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\/nonexistent\/out\.prototxt: cannot be written/);
    expect(stderr).not.toMatch(/Running for/);
  });
});

describe.skipIf(!hasReference)('caffe', { timeout: 60_000 }, () => {
  const net = () => [`-model=${join(small, 'dfp8.prototxt')}`, '-weights', join(small, 'trained.caffemodel')];
  const data = () => `--data=${join(reference, 'reference/solver/small64_lmdb')}`;

  it("test logs the original's lines; flags may stand before the action", async () => {
    const { code, stderr } = await run('caffe', [...net(), data(), 'test', '--iterations=2']);
    expect(code).toBe(0);
    const lines = texts(stderr);
    expect(lines.slice(0, 3)).toEqual([
      'Use CPU.',
      'Running for 2 iterations.',
      expect.stringMatching(/^Batch 0, accuracy = /),
    ]);
    expect(lines).toContain('accuracy = 0.609375');
    expect(lines.at(-1)).toMatch(/^loss = 1\.2575\d \(\* 1 = 1\.2575\d loss\)$/);
  });

  it('time gives averages per layer', async () => {
    const json = join(folder, 'time.json');
    const { code, stderr } = await run('caffe', [
      'time',
      ...net(),
      data(),
      '--iterations=3',
      `--json=${json}`,
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/conv1\tforward: \S+ ms\./);
    expect(stderr).toMatch(/conv1\tbackward: \S+ ms\./);
    expect(stderr).toMatch(/Average Forward pass: \S+ ms\./);
    expect(stderr).toMatch(/Average Backward pass: \S+ ms\./);
    const { layers, passes } = JSON.parse(readFileSync(json, 'utf8'));
    expect(passes).toHaveLength(3);
    const conv2 = layers.find((entry: { layer: string }) => entry.layer === 'conv2');
    expect(conv2.forward).toBeGreaterThan(0);
    expect(conv2.backward).toBeGreaterThan(0);
  });

  it('device_query answers', async () => {
    const query = await run('caffe', ['device_query', '-gpu', 'all', '--log=terminal']);
    expect(query.code).toBe(0);
    expect(query.stdout).toMatch(/Processor:/);
  });

  it('lists names and shapes where the weights are of another net', async () => {
    const other = join(reference, 'data/squeezenet/squeezenet_v1.0.caffemodel');
    const shapes = await run('caffe', ['test', net()[0], `--weights=${other}`, data(), '--iterations=1']);
    expect(shapes.code).toBe(1);
    expect(shapes.stderr).toMatch(/conv1.*\(96, 3, 7, 7\).*\(8, 3, 5, 5\)/);
    const model = join(folder, 'renamed.prototxt');
    writeFileSync(
      model,
      readFileSync(join(small, 'dfp8.prototxt'), 'utf8').replace('"conv1" type', '"first" type'),
    );
    const args = ['test', `--model=${model}`, `--weights=${join(small, 'trained.caffemodel')}`, data()];
    const names = await run('caffe', [...args, '--iterations=1']);
    expect(names.code).toBe(1);
    expect(names.stderr).toMatch(/'first'/);
    expect(names.stderr).toMatch(/'conv1'/);
    const allowed = await run('caffe', [...args, '--iterations=1', '--allow-missing']);
    expect(allowed.code).toBe(0);
  });
});

// What a solver does when: tests, displays, snapshots, stops; which nets it makes of a prototxt.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { registry } from '../../../lib/data/index.js';
import { Phase, parseText, readNetBinary, type SolverParameter } from '../../../lib/proto/index.js';
import {
  NetDefinitions,
  Solver,
  type SolverEvent,
  type SolverOptions,
  type WatchOptions,
} from '../../../lib/solver/index.js';

const folder = mkdtempSync(join(tmpdir(), 'ristretto-solver-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const net = `
  layer { name: "data" type: "DummyData" top: "x" top: "y"
    dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
      data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 0.5 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "z" param { decay_mult: 1 }
    inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "z" bottom: "y" top: "loss" loss_weight: 3 }
  layer { name: "extra" type: "Reduction" bottom: "x" top: "extra" include { phase: TEST stage: "more" } }`;

const solverText = (more: string) =>
  `net_param { ${net} } base_lr: 0.05 lr_policy: "fixed" max_iter: 6 random_seed: 1 ${more}`;

let count = 0;
async function make(more: string, options: Partial<SolverOptions> = {}) {
  const param = parseText('SolverParameter', solverText(more));
  param.snapshot_prefix = join(folder, `net${count++}`);
  const events: SolverEvent[] = [];
  const solver = await Solver.create({
    param,
    registry,
    threads: 1,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { solver, events, prefix: param.snapshot_prefix };
}

/** kind@iteration of every event. */
const log = (events: readonly SolverEvent[], kinds?: string[]) =>
  events
    .filter(({ kind }) => !kinds || kinds.includes(kind))
    .map((event) => `${event.kind}${'iteration' in event ? `@${event.iteration}` : ''}`);

describe('Solver', () => {
  it('does everything in the order of the original', async () => {
    const { solver, events } = await make(
      'display: 2 test_iter: 3 test_interval: 3 test_state { stage: "more" } snapshot: 4',
    );
    await solver.solve();
    expect(log(events)).toEqual([
      ...['testing@0', 'tested@0', 'display@0', 'learningRate@0', 'iterated@1', 'iterated@2'],
      ...['display@2', 'learningRate@2', 'iterated@3', 'testing@3', 'tested@3', 'iterated@4', 'snapshot@4'],
      ...['display@4', 'learningRate@4', 'iterated@5', 'iterated@6', 'snapshot@6'],
      ...['display@6', 'testing@6', 'tested@6'],
    ]);
    const displays = events.filter((event) => event.kind === 'display');
    expect(displays.map(({ last }) => last)).toEqual([false, false, false, true]);
    expect(displays[0].outputs).toEqual([{ name: 'loss', value: displays[0].loss / 3, lossWeight: 3 }]);
    const tested = events.find((event) => event.kind === 'tested')!;
    expect(tested.outputs.map(({ name }) => name)).toEqual(['extra', 'loss']);
    expect(solver.stopped).toBe(false);
    await solver.close();
  });

  it('learns: the loss goes down, and the test nets see it', async () => {
    const { solver, events } = await make(
      'test_iter: 8 test_interval: 1000 test_compute_loss: true test_initialization: false',
    );
    const [before] = await solver.test();
    await solver.step(60);
    const [after] = await solver.test();
    expect(after.loss!).toBeLessThan(before.loss! / 4);
    expect(after.outputs[0].value * 3).toBeCloseTo(after.loss!, 6);
    expect(events.filter(({ kind }) => kind === 'display')).toEqual([]);
    await solver.close();
  });

  it('writes what it learned where the original would, and nothing where not', async () => {
    const { solver, prefix } = await make('snapshot: 0 snapshot_diff: true');
    await solver.solve();
    const model = readNetBinary(`${prefix}_iter_6.caffemodel`);
    const ip = model.layer.find(({ name }) => name === 'ip')!;
    expect(Float32Array.from(ip.blobs[0].data)).toEqual(solver.net.params[0].blob.toArray());
    expect(Float32Array.from(ip.blobs[0].diff)).toEqual(solver.net.params[0].blob.diffToArray());
    expect(ip.blobs[0].diff.some((value) => value !== 0)).toBe(true);
    await solver.close();
    const { solver: quiet, prefix: none } = await make('snapshot_after_train: false');
    await quiet.solve();
    expect(existsSync(`${none}_iter_6.caffemodel`)).toBe(false);
    await quiet.close();
  });

  it('stops between iterations when it is told to, with a snapshot', async () => {
    const controller = new AbortController();
    const { solver, events, prefix } = await make('', {
      signal: controller.signal,
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'iterated' && event.iteration === 2) controller.abort();
      },
    });
    await solver.solve();
    expect(solver.iteration).toBe(2);
    expect(solver.stopped).toBe(true);
    expect(log(events)).toEqual(['iterated@1', 'iterated@2', 'stopped@2', 'snapshot@2']);
    expect(existsSync(`${prefix}_iter_2.solverstate`)).toBe(true);
    await solver.close();
  });

  it('ends a test at the next batch, and writes a snapshot when asked', async () => {
    const run = await make('test_iter: 1000 test_interval: 2 test_initialization: false', {
      onEvent: (event) => {
        run.events.push(event);
        if (event.kind === 'iterated' && event.iteration === 1) run.solver.requestSnapshot();
        if (event.kind === 'testing' && event.iteration === 2) run.solver.stop();
      },
    });
    await run.solver.step(6);
    expect(log(run.events)).toEqual([
      ...['iterated@1', 'snapshot@1', 'iterated@2', 'testing@2', 'stopped@2'],
    ]);
    await run.solver.close();
  });

  it('follows an output: keeps the best, gives up after a while', async () => {
    const watch: WatchOptions = { output: 'loss', save: true, patience: 2 };
    const { solver, events, prefix } = await make('test_iter: 1 test_interval: 1', { watch });
    // From here on it cannot get better.
    for (const { blob } of solver.net.params) blob.set(new Float32Array(blob.count));
    solver.net.params[1].blob.set([0.5, 0.5]);
    solver.param.base_lr = -1;
    await solver.step(6);
    expect(log(events, ['best', 'tested', 'stopped'])).toEqual([
      ...['tested@0', 'best@0', 'tested@1', 'tested@2', 'stopped@2'],
    ]);
    expect(events.find(({ kind }) => kind === 'stopped')).toMatchObject({ reason: 'patience' });
    const best = readNetBinary(`${prefix}_best.caffemodel`).layer.find(({ name }) => name === 'ip')!;
    expect([...best.blobs[1].data]).toEqual([0.5, 0.5]);
    await solver.close();
  });

  it('measures what debug_info asks for', async () => {
    const { solver, events } = await make('display: 1 debug_info: true');
    await solver.step(1);
    const found = events.filter((event) => event.kind === 'debug').flatMap(({ magnitudes }) => magnitudes);
    const weights = found.find(
      ({ pass, kind, layer }) => pass === 'backward' && kind === 'param' && layer === 'ip',
    )!;
    const { blob } = solver.net.params[0];
    // The step is the gradient times the learning rate.
    const mean = blob.diffToArray().reduce((sum, value) => sum + Math.abs(value), 0) / blob.count / 0.05;
    expect(weights.value).toBeCloseTo(mean, 5);
    expect(
      found.filter(({ pass, kind }) => pass === 'forward' && kind === 'top').map(({ layer }) => layer),
    ).toEqual([...['data', 'data', 'ip', 'loss']]);
    await solver.close();
  });

  it('trims activations in training where it is asked to', async () => {
    const quantised = net.replace('"InnerProduct"', '"FcRistretto"').replace(
      'inner_product_param',
      // Outputs of one bit are -1 or 0, and every gradient stops there.
      'quantization_param { bw_layer_out: 1 fl_layer_out: 0 } inner_product_param',
    );
    const learned = async (trainActivations?: boolean) => {
      const param = parseText('SolverParameter', solverText('').replace(net, quantised));
      const { solver } = await make('', { param, trainActivations });
      const before = solver.net.params[0].blob.toArray();
      await solver.step(1);
      const after = solver.net.params[0].blob.toArray();
      await solver.close();
      return after.some((value, i) => value !== before[i]);
    };
    expect(await learned()).toBe(true);
    expect(await learned(true)).toBe(false);
  });

  it('refuses settings that make no sense, naming the field', async () => {
    await expect(make('iter_size: 0')).rejects.toThrow('iter_size: must be at least 1, not 0');
    await expect(make('type: "Adm"')).rejects.toThrow("type: there is no solver 'Adm'");
    await expect(make('test_iter: 1')).rejects.toThrow('test_interval: must be positive');
    const { solver } = await make('');
    const running = solver.step(1);
    await expect(solver.snapshot()).rejects.toThrow('the solver runs already');
    await running;
    await solver.close();
  });
});

describe('the nets of a solver', () => {
  const file = join(folder, 'net.prototxt');
  writeFileSync(file, `${net} state { level: 2 stage: "own" }`);
  const define = (text: string) => {
    const param: SolverParameter = parseText('SolverParameter', text);
    return new NetDefinitions(param, folder);
  };

  it('are one to train and as many to test as there are test_iter', () => {
    const definitions = define(`
      net: "net.prototxt" test_net_param { name: "inline" } test_net: "net.prototxt"
      test_iter: 1 test_iter: 2 test_iter: 3 test_interval: 5
      train_state { stage: "a" } test_state { } test_state { stage: "b" level: 7 } test_state { stage: "c" }`);
    const { train, tests } = definitions;
    expect([train.phase, train.level, train.stages]).toEqual([Phase.TRAIN, 2, ['own', 'a']]);
    expect(tests.map(({ param, iterations }) => [param.name, iterations])).toEqual([
      ['inline', 1],
      ['', 2],
      ['', 3],
    ]);
    expect(tests.map(({ phase, level, stages }) => [phase, level, stages])).toEqual([
      [Phase.TEST, 0, []],
      [Phase.TEST, 7, ['own', 'b']],
      [Phase.TEST, 2, ['own', 'c']],
    ]);
  });

  it('must be named without contradiction', () => {
    expect(() => define('base_lr: 1').train).toThrow('net: a solver names exactly one training net');
    expect(() => define('net: "net.prototxt" train_net: "net.prototxt"').train).toThrow('net and train_net');
    expect(() => define('train_net: "net.prototxt" test_net: "net.prototxt" test_interval: 1').tests).toThrow(
      'test_iter: 0 given for 1 test nets',
    );
    expect(
      () => define('net: "net.prototxt" test_iter: 1 test_interval: 1 test_state {} test_state {}').tests,
    ).toThrow('test_state: 2 given for 1 test nets');
  });
});

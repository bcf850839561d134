import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { registry } from '../../data/index.js';
import { UsageError } from '../../errors/index.js';
import { create, readSolver, SolverParameter_SolverMode as Mode } from '../../proto/index.js';
import {
  isSnapshotOf,
  snapshotsDue,
  snapshotsThere,
  Solver,
  type SolverOptions,
} from '../../solver/index.js';
import { isReadOnce, writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { chooseDevices, gpuIds } from '../device.js';
import { dataOptions, netOptions, stateOptions, trainDataOptions } from '../options.js';
import { roundingOf } from '../rounding.js';
import { stagesOf } from '../state.js';
import { trainLines } from '../train-lines.js';
import { TrainReport } from '../train-report.js';

const EFFECTS = ['snapshot', 'stop', 'none'] as const;

export const trainCommand = command({
  options: {
    solver: {
      kind: 'string',
      value: 'FILE',
      reads: ['solver'],
      required: 'Need a solver definition to train.',
      help: "the solver's prototxt",
    },
    weights: {
      kind: 'string',
      value: 'FILES',
      reads: ['weights'],
      several: true,
      help: 'trained weights to start from, separated by commas',
    },
    snapshot: {
      kind: 'string',
      value: 'FILE',
      reads: ['solverState'],
      help: 'solver state to go on from',
    },
    sigint_effect: {
      kind: 'choice',
      choices: EFFECTS,
      default: 'stop',
      help: 'what Ctrl-C does: write a snapshot, stop (with a snapshot), nothing',
    },
    sighup_effect: {
      kind: 'choice',
      choices: EFFECTS,
      default: 'snapshot',
      help: 'the same for a terminal that goes away',
    },
    iterations: {
      kind: 'integer',
      min: 1,
      help: 'updates to make at most in this run; the solver file says where training ends',
    },
    warmup: {
      kind: 'integer',
      min: 0,
      default: 0,
      help: 'iterations in which the learning rate rises in equal steps to what its policy says',
    },
    watch: {
      kind: 'string',
      value: 'OUTPUT',
      help: 'output of the first test net that --best and --patience follow',
    },
    best: {
      kind: 'boolean',
      default: false,
      help: 'keep the weights of the best test as <snapshot_prefix>_best.caffemodel',
    },
    patience: {
      kind: 'integer',
      min: 1,
      value: 'TESTS',
      help: 'stop after so many tests in a row without a better one',
    },
    train_rounding: {
      kind: 'choice',
      choices: ['stochastic', 'nearest'],
      default: 'stochastic',
      help: 'how parameters of quantised layers are rounded in training; nearest: as when they are tested',
    },
    train_activations: {
      kind: 'boolean',
      default: false,
      help: 'trim the activations of quantised layers in training too, not just in tests',
    },
    ...dataOptions,
    ...trainDataOptions,
    ...stateOptions,
    ...netOptions,
    seed: {
      kind: 'integer',
      min: 0,
      max: 2 ** 32 - 1,
      value: 'N',
      help: "seed of everything random, instead of the solver's random_seed",
    },
  },
  // Snapshots get their names on the way: --json must not have one that they may get, and those that are due and lie
  // there already must be no file that is read.
  outputs({ values }) {
    const { json, solver, best, snapshot } = values;
    if (!existsSync(solver) || isReadOnce(solver)) return [];
    const param = readSolver(solver);
    const due = snapshotsDue(param, param.snapshot_prefix, { first: 0, best });
    // A snapshot that a run goes on from may be one of its own, which the solver looks at closer.
    const own = snapshot ? snapshot.replace(/\.solverstate(\.h5)?$/, '.') : null;
    const there = snapshotsThere(due).filter(
      (path) => own === null || !resolve(path).startsWith(resolve(own)),
    );
    const any = { ...due, last: Infinity, due: undefined };
    return [...there, ...(json && isSnapshotOf(json, any) ? [json] : [])].map((path) => ({
      path,
      what: 'a snapshot of this run (snapshot_prefix)',
    }));
  },
  async run({ values, output, signal, interrupts }) {
    if (values.snapshot && values.weights)
      throw new UsageError('Give a snapshot to resume training or weights to finetune but not both.');
    const param = await readSolver(values.solver);
    param.train_state ??= create('NetState');
    param.train_state.level = values.level;
    param.train_state.stage.push(...(stagesOf(values.stage) ?? []));
    if (values.snapshot) param.weights = [];
    const weights = values.weights ? values.weights.split(',') : undefined;
    if (weights) param.weights = [];
    const gpu = values.gpu ?? (param.solver_mode === Mode.GPU && values.require_gpu ? '0' : undefined);
    const devices = chooseDevices({ ...values, gpu }, output, { file: 'caffe.cpp', line: 197 });
    const asked = gpuIds(gpu) ?? [];
    if (devices.length === 0 && asked.length > 1 && asked !== 'all')
      output.warn(`each batch is that of one GPU, not of ${asked.length}`);

    const report = new TrainReport(output, param, values.iterations);
    if (values.snapshot) output.log(trainLines.resuming(values.snapshot));
    for (const file of [...param.weights, ...(weights ?? [])]) output.log(trainLines.finetuning(file));
    const solver = await Solver.create({
      param,
      registry,
      weights,
      resume: values.snapshot,
      seed: values.seed,
      warmup: values.warmup,
      watch: watchOf(values),
      devices,
      threads: values.threads,
      dataSource: { train: values.train_data ?? values.data, test: values.data },
      skipBad: values.skip_bad,
      rounding: roundingOf(values.rounding),
      trainActivations: values.train_activations,
      trainNearest: values.train_rounding === 'nearest',
      signal,
      onEvent: (event) => report.take(event),
    });
    interrupts.handle((name) => {
      const effect = name === 'SIGHUP' ? values.sighup_effect : values.sigint_effect;
      // SIGTERM is not the original's: it ends the run cleanly, as Ctrl-C does elsewhere.
      if (name === 'SIGTERM' || (effect === 'stop' && report.stopping)) return false;
      if (effect === 'snapshot') solver.requestSnapshot();
      if (effect === 'stop') {
        report.stopAsked();
        solver.stop();
      }
      return true;
    });
    try {
      output.log(trainLines.starting());
      report.start(solver);
      const left = Math.max(0, solver.param.max_iter - solver.iteration);
      if (values.iterations === undefined || values.iterations >= left) await solver.solve();
      else {
        await solver.step(values.iterations);
        if (solver.param.snapshot_after_train) await solver.snapshot();
      }
      report.finish(solver);
      if (values.json) writeFileAtomic(values.json, JSON.stringify(report.data(solver), null, 2) + '\n');
    } finally {
      await solver.close();
    }
    signal.throwIfAborted();
  },
});

function watchOf(values: { watch?: string; best: boolean; patience?: number }): SolverOptions['watch'] {
  const { watch, best, patience } = values;
  if (watch === undefined) {
    if (best || patience !== undefined)
      throw new UsageError('--best and --patience need --watch: the output of the test net that they follow');
    return undefined;
  }
  return { output: watch, save: best, patience };
}

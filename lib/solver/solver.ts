import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { RistrettoError, UsageError } from '../errors/index.js';
import {
  ActivationArena,
  checkTypesOfStates,
  defaultRegistry,
  FiniteCheck,
  Net,
  type NetOptions,
} from '../graph/index.js';
import { fillParams } from '../graph/params.js';
import {
  clone,
  filesNamedBy,
  filesNamedBySolver,
  positionOf,
  SolverParameter_SnapshotFormat,
  upgradeSolver,
  type SolverParameter,
} from '../proto/index.js';
import {
  assertWritable,
  lockOutput,
  refuseMeetings,
  sameFile,
  type NamedPath,
  type OutputLock,
} from '../util/index.js';
import { checkArgument, checkOptions, required, whole } from '../util/check-options.js';
import { checkpointsOf, restoreCheckpoints } from './checkpoints.js';
import type { SolverEvent, TestResult } from './events.js';
import { LossWindow } from './loss-window.js';
import { Magnitudes } from './magnitudes.js';
import { NetDefinitions, type NetDefinition } from './net-definitions.js';
import { solverOptionKinds } from './option-kinds.js';
import type { SolverOptions } from './options.js';
import { checkPolicy, currentStep, learningRate } from './policies/index.js';
import { Replicas } from './replicas.js';
import {
  sideFileOf,
  snapshotFiles,
  snapshotsThere,
  type SnapshotFiles,
  type SnapshotRange,
} from './snapshot-files.js';
import {
  readSnapshot,
  restoreHistories,
  snapshotFailed,
  writeModel,
  writeSnapshot,
  type LoadedSnapshot,
} from './snapshot.js';
import { TestNet } from './test-net.js';
import { Updater } from './update.js';
import { Watch } from './watch.js';

/**
 * Trains a net as the original's solvers do: forward and backward passes, updates, tests, snapshots, in the same
 * order and at the same iterations. It prints nothing; what there is to tell goes to `onEvent`. Results depend on
 * the solver, the data and the seed alone.
 */
export class Solver {
  readonly param: SolverParameter;
  /** The net in training; on several devices the one on the first, which holds the parameters. */
  readonly net: Net;
  /** The net in training on all devices. */
  readonly replicas: Replicas;
  readonly tests: readonly TestNet[];
  readonly seed: number;
  readonly #options: SolverOptions;
  readonly #updater: Updater;
  readonly #loss: LossWindow;
  readonly #watch: Watch | null;
  readonly #finite = new FiniteCheck();
  readonly #magnitudes = new Magnitudes();
  #iteration = 0;
  #lastSnapshot: string | null = null;
  #resumed: { iteration: number; state: string; model: string | null } | null = null;
  #lock: OutputLock | null = null;
  /** What this run reads, and must not write over. */
  #inputs: readonly NamedPath[] = [];
  #stopRequested = false;
  #snapshotRequested = false;
  #stopped = false;
  #running = false;
  #closed = false;

  /** Builds the nets, and gives them the weights or the snapshot that the options name. */
  static async create(options: SolverOptions): Promise<Solver> {
    checkOptions('Solver.create', options, solverOptionKinds);
    const param = upgradeSolver(clone(options.param, { shareArrays: true }));
    check(param);
    const { baseFolder } = options;
    const snapshot = options.resume === undefined ? null : await readSnapshot(options.resume, baseFolder);
    const given = options.seed ?? (param.random_seed >= 0 ? param.random_seed : undefined);
    const seed = given ?? snapshot?.side?.seed ?? 0;
    const definitions = new NetDefinitions(param, baseFolder);
    checkTypesOfStates(
      [definitions.train, ...definitions.tests].map(({ stages, ...net }) => ({ ...net, stage: stages })),
      options.registry ?? defaultRegistry('Solver.create'),
    );
    // Tests run between iterations, when no activation of the net in training is needed any more.
    const arena = new ActivationArena();
    const {
      registry,
      dataSource,
      skipBad,
      rounding,
      trainActivations,
      trainNearest,
      memoryLimit,
      threads,
      isa,
      profile,
    } = options;
    const shared = {
      registry,
      dataSource,
      skipBad,
      rounding,
      trainActivations,
      trainNearest,
      memoryLimit,
      baseFolder,
      seed,
    };
    const open: Net[] = [];
    const make = async (definition: NetDefinition, more?: Partial<NetOptions>): Promise<Net> => {
      const { phase, level, stages, file } = definition;
      try {
        const net = await Net.create({ ...shared, param: definition.param, phase, level, stages, ...more });
        open.push(net);
        return net;
      } catch (error) {
        if (file === null || !(error instanceof RistrettoError) || error.file) throw error;
        throw new RistrettoError(error.reason, {
          file,
          layer: error.layer,
          field: error.field,
          cause: error,
        });
      }
    };
    try {
      const keep = param.debug_info ? 'all' : undefined;
      const passes = { arena, backward: true, threads, isa, profile, keep } as const;
      const replicas = await Replicas.create(make, definitions.train, passes, options.devices);
      const net = replicas.primary;
      const tests: TestNet[] = [];
      for (const [index, definition] of definitions.tests.entries())
        tests.push(
          new TestNet(await make(definition, { arena, stream: net.stream }), index, definition, net),
        );
      const solver = new Solver(options, param, replicas, tests, seed);
      for (const weights of [...param.weights, ...(options.weights ?? [])])
        for (const file of weights.split(','))
          await net.copyTrainedLayers(baseFolder === undefined ? file : resolve(baseFolder, file), {
            allowMissing: true,
          });
      // An unknown filler is to be told before anything is restored.
      fillParams(net.params);
      if (snapshot) await solver.#restore(snapshot, options.resume!);
      solver.#claimSnapshots([
        ...inputsOf(param, options, snapshot),
        ...[definitions.train, ...definitions.tests].flatMap((net) => inputsOfNet(net, baseFolder)),
      ]);
      return solver;
    } catch (error) {
      await Promise.allSettled(open.reverse().map((net) => net.close()));
      throw error;
    }
  }

  private constructor(
    options: SolverOptions,
    param: SolverParameter,
    replicas: Replicas,
    tests: readonly TestNet[],
    seed: number,
  ) {
    if (!replicas) throw new UsageError('a solver is made by `await Solver.create(options)`');
    this.#options = options;
    this.param = param;
    this.replicas = replicas;
    this.net = replicas.primary;
    this.tests = tests;
    this.seed = seed;
    this.#updater = new Updater(this.net, param);
    this.#loss = new LossWindow(param.average_loss);
    this.#watch = options.watch ? new Watch(options.watch) : null;
    if (param.snapshot > 0 || param.snapshot_after_train) assertWritable(this.#files(0).state);
  }

  /** Updates made so far. */
  get iteration(): number {
    return this.#iteration;
  }
  /** The mean of the last `average_loss` losses. */
  get smoothedLoss(): number {
    return this.#loss.mean;
  }
  /** Whether training was ended before its time: by `stop()`, the signal, or the watch's patience. */
  get stopped(): boolean {
    return this.#stopped;
  }
  /** The solverstate written last. */
  get lastSnapshot(): string | null {
    return this.#lastSnapshot;
  }
  /** The learning rate of the next iteration. */
  get learningRate(): number {
    return learningRate(this.param, this.#iteration, this.#options.warmup);
  }

  /** Ends training behind the iteration that runs, or a test at its next batch. */
  stop(): void {
    this.#stopRequested = true;
  }
  /** Asks for a snapshot behind the iteration that runs. */
  requestSnapshot(): void {
    this.#snapshotRequested = true;
  }

  /** Trains to `max_iter`, writes the last snapshot, then shows the last loss and test as the original does. */
  async solve(): Promise<void> {
    const { display, test_interval, snapshot, snapshot_after_train, max_iter } = this.param;
    this.#refuseClosed();
    await this.step(Math.max(0, max_iter - this.#iteration));
    if (snapshot_after_train && (snapshot <= 0 || this.#iteration % snapshot !== 0)) await this.snapshot();
    if (this.#stopped) return;
    await this.#alone(async () => {
      if (display > 0 && this.#iteration % display === 0) {
        await this.replicas.forward();
        this.#loss.add(this.replicas.loss);
        await this.#tell({ kind: 'display', ...this.#shown, outputs: [], last: true });
      }
      if (test_interval > 0 && this.#iteration % test_interval === 0) await this.#testAll();
    });
  }

  /** Makes up to `iterations` updates, with the tests and snapshots that fall into them. */
  async step(iterations: number): Promise<void> {
    checkArgument('step', 'iterations', iterations, required(whole(0)));
    await this.#alone(async () => {
      const { test_interval, test_initialization } = this.param;
      const end = this.#iteration + iterations;
      this.#stopped = false;
      while (this.#iteration < end) {
        if (this.#stopDue()) return;
        const due = test_interval > 0 && this.#iteration % test_interval === 0;
        if (due && (this.#iteration > 0 || test_initialization)) await this.#testAll();
        if (this.#stopped) return;
        await this.#iterate();
        const regular = this.param.snapshot > 0 && this.#iteration % this.param.snapshot === 0;
        if (regular || this.#snapshotRequested) await this.#snapshot();
        if (this.#stopDue()) return;
      }
    });
    if (this.#stopped)
      await this.#tell({ kind: 'stopped', iteration: this.#iteration, reason: this.#reason });
  }

  /** Runs all test nets now. */
  async test(): Promise<TestResult[]> {
    return this.#alone(() => this.#testAll());
  }

  /** Writes a snapshot now; the path of its solverstate. */
  async snapshot(): Promise<string> {
    return this.#alone(() => this.#snapshot());
  }

  /** Lets go of the nets and of the snapshots' names. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#lock?.release();
    this.#lock = null;
    const closing = await Promise.allSettled(this.tests.map(({ net }) => net.close()));
    await this.replicas.close();
    for (const result of closing) if (result.status === 'rejected') throw result.reason;
  }

  #refuseClosed(cause?: unknown): void {
    if (this.#closed) throw new UsageError('the solver is closed', { cause });
  }

  get #reason(): 'request' | 'patience' {
    return this.#watch?.exhausted ? 'patience' : 'request';
  }
  get #shown() {
    return { iteration: this.#iteration, loss: this.#loss.mean };
  }
  get #hdf5(): boolean {
    return this.param.snapshot_format === SolverParameter_SnapshotFormat.HDF5;
  }

  async #tell(event: SolverEvent): Promise<void> {
    await this.#options.onEvent?.(event);
  }

  /** One thing at a time: passes and snapshots must not meet. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    if (this.#running) throw new UsageError('the solver runs already: await it first');
    this.#running = true;
    try {
      return await work();
    } catch (error) {
      // What a pass says of a net that was closed under it is only what came of that.
      this.#refuseClosed(error);
      throw error;
    } finally {
      this.#running = false;
    }
  }

  #stopDue(): boolean {
    if (this.#options.signal?.aborted) this.#stopRequested = true;
    if (this.#stopRequested) {
      this.#stopped = true;
      this.#stopRequested = false;
    }
    return this.#stopped;
  }

  async #iterate(): Promise<void> {
    const { param, replicas } = this;
    const iteration = this.#iteration;
    const shown = param.display > 0 && iteration % param.display === 0;
    const debug = shown && param.debug_info;
    replicas.clearParamDiffs();
    let loss = 0;
    for (let i = 0; i < param.iter_size; i++) {
      await replicas.forward(debug ? { observe: this.#magnitudes.forward } : {});
      const lossOfPass = replicas.loss;
      await this.#finite.look([lossOfPass], replicas.primary, `iteration ${iteration}`);
      loss += lossOfPass;
      await replicas.backward(debug ? { observe: this.#magnitudes.backward } : {});
      if (debug) await this.#tell({ kind: 'debug', iteration, magnitudes: this.#magnitudes.take() });
    }
    replicas.reduceGradients();
    loss /= param.iter_size;
    this.#loss.add(loss);
    if (shown) await this.#tell({ kind: 'display', ...this.#shown, outputs: replicas.outputs, last: false });
    const rate = this.learningRate;
    await this.#tellRate(iteration, rate, shown);
    const clipping = await this.#updater.apply(rate, iteration);
    if (clipping) await this.#tell({ kind: 'clipped', iteration, ...clipping });
    this.#iteration++;
    await this.#tell({ kind: 'iterated', iteration: this.#iteration, loss });
  }

  async #tellRate(iteration: number, rate: number, shown: boolean): Promise<void> {
    if (this.param.lr_policy === 'multistep') {
      const step = currentStep(this.param, iteration);
      const before = iteration > 0 ? currentStep(this.param, iteration - 1) : 0;
      if (step > before) await this.#tell({ kind: 'step', iteration, step });
    }
    if (shown) await this.#tell({ kind: 'learningRate', iteration, rate });
  }

  async #testAll(): Promise<TestResult[]> {
    const results: TestResult[] = [];
    for (const test of this.tests) {
      await this.#tell({ kind: 'testing', net: test.index, iteration: this.#iteration });
      const result = await test.run(this.#iteration, this.param.test_compute_loss, async () => {
        if (this.#snapshotRequested) await this.#snapshot();
        return this.#stopDue();
      });
      if (!result) break;
      await this.#finite.look(
        result.outputs.map(({ value }) => value),
        test.net,
        `test net ${test.index}, in iteration ${this.#iteration},`,
      );
      results.push(result);
      await this.#tell({ kind: 'tested', ...result });
      await this.#follow(result);
    }
    return results;
  }

  /** Lets the watch see a result. */
  async #follow(result: TestResult): Promise<void> {
    const value = this.#watch?.take(result) ?? null;
    if (this.#watch?.exhausted) this.#stopped = true;
    if (value === null) return;
    let model: string | null = null;
    if (this.#options.watch!.save) {
      model = `${this.#prefix}_best.caffemodel${this.#hdf5 ? '.h5' : ''}`;
      await writeModel(model, this.replicas.toProto(), { hdf5: this.#hdf5 });
    }
    await this.#tell({ kind: 'best', iteration: this.#iteration, value, model });
  }

  /** Throws where a snapshot that is due would be written over what is read, or another run writes such snapshots. */
  #claimSnapshots(inputs: readonly NamedPath[]): void {
    const { snapshot, snapshot_after_train } = this.param;
    const best = this.#options.watch?.save ?? false;
    this.#inputs = inputs;
    // What was resumed from is not written once more.
    const first = this.#resumed ? this.#iteration + 1 : 0;
    this.#refuseInputs(snapshotsThere(snapshotsDue(this.param, this.#prefix, { first, best })));
    if (snapshot > 0 || snapshot_after_train || best) this.#lock = lockOutput(this.#prefix, 'snapshots');
  }

  /** Throws where files of a snapshot are files that this run reads. */
  #refuseInputs(files: readonly string[]): void {
    refuseMeetings(
      files.map((path) => ({ path, what: 'a snapshot of this run (snapshot_prefix)' })),
      this.#inputs,
    );
  }

  /** Whether a snapshot now would only write once more what was resumed from. */
  #standsWhereResumed({ model, state }: SnapshotFiles): boolean {
    const from = this.#resumed;
    if (!from || from.iteration !== this.#iteration) return false;
    return sameFile(state, from.state) || (from.model !== null && sameFile(model, from.model));
  }

  get #prefix(): string {
    const { baseFolder } = this.#options;
    const { snapshot_prefix } = this.param;
    return baseFolder === undefined ? snapshot_prefix : resolve(baseFolder, snapshot_prefix);
  }

  #files(iteration: number) {
    return snapshotFiles(this.#prefix, iteration, this.#hdf5);
  }

  async #snapshot(): Promise<string> {
    this.#snapshotRequested = false;
    const iteration = this.#iteration;
    const files = this.#files(iteration);
    const { model, state } = files;
    if (this.#standsWhereResumed(files)) return this.#resumed!.state;
    // One that a signal asked for was not due.
    this.#refuseInputs(Object.values(files).filter((path) => existsSync(path)));
    this.#lock ??= lockOutput(this.#prefix, 'snapshots');
    await this.#tell({ kind: 'snapshot', iteration, model, state, hdf5: this.#hdf5 });
    try {
      await writeSnapshot(files, {
        net: this.replicas,
        histories: this.#updater.histories,
        iteration,
        currentStep: currentStep(this.param, Math.max(0, iteration - 1)),
        diff: this.param.snapshot_diff,
        hdf5: this.#hdf5,
        side: {
          iteration,
          type: this.param.type,
          seed: this.seed,
          loss: this.#loss.state,
          train: this.replicas.checkpoints,
          tests: this.tests.map(({ net }) => checkpointsOf(net)),
          watch: this.#watch?.state ?? null,
        },
      });
    } catch (error) {
      throw snapshotFailed(error, this.#lastSnapshot);
    }
    this.#lastSnapshot = state;
    return state;
  }

  async #restore({ state, model, side, inexact }: LoadedSnapshot, file: string): Promise<void> {
    if (model) await this.net.copyTrainedLayers(model.net, { allowMissing: true, file: model.file });
    restoreHistories(this.#updater.histories, state, file);
    this.#iteration = state.iter;
    this.#lastSnapshot = file;
    this.#resumed = { iteration: state.iter, state: file, model: model?.file ?? null };
    const reason = inexact ?? this.#mismatch(side!);
    if (side && !reason) {
      const sideFile = sideFileOf(file);
      await this.replicas.restore(side.train, sideFile);
      for (const [index, { net }] of this.tests.entries())
        await restoreCheckpoints(net, side.tests[index], sideFile);
      this.#loss.restore(side.loss);
      if (side.watch) this.#watch?.restore(side.watch);
    } else
      await this.#tell({
        kind: 'warning',
        message: `resumes as the original does, data and random numbers from their start: ${reason}`,
      });
  }

  /** Why a side file does not fit this solver; null where it does. */
  #mismatch({ type, seed, tests }: { type: string; seed: number; tests: readonly unknown[] }): string | null {
    if (type !== this.param.type) return `it was written by type ${type}`;
    if (seed !== this.seed) return `its seed was ${seed}, now it is ${this.seed}`;
    return tests.length === this.tests.length ? null : `it had ${tests.length} test nets`;
  }
}

/** The snapshots that a run writes by its settings, from an iteration on. */
export function snapshotsDue(
  { snapshot, snapshot_after_train, max_iter, snapshot_format }: SolverParameter,
  prefix: string,
  { first, best }: { first: number; best: boolean },
): SnapshotRange {
  const due = (iteration: number) =>
    (snapshot > 0 && iteration % snapshot === 0) || (snapshot_after_train && iteration === max_iter);
  const hdf5 = snapshot_format === SolverParameter_SnapshotFormat.HDF5;
  return { prefix, first, last: max_iter, due, best, hdf5 };
}

/** What a solver reads beside what its nets name. */
function inputsOf(
  param: SolverParameter,
  { baseFolder, weights = [], resume }: SolverOptions,
  snapshot: LoadedSnapshot | null,
): NamedPath[] {
  const from = (path: string) => (baseFolder === undefined ? path : resolve(baseFolder, path));
  const file = positionOf(param)?.file;
  const inputs = [
    ...(file === undefined ? [] : [{ path: file, what: "the solver's definition" }]),
    ...filesNamedBySolver(param).map(({ path, field }) => ({ path: from(path), what: field })),
    ...weights.flatMap((list) => list.split(',')).map((path) => ({ path: from(path), what: 'weights' })),
  ];
  if (resume !== undefined)
    inputs.push(
      { path: resume, what: 'the snapshot to go on from' },
      { path: sideFileOf(resume), what: 'its side file' },
    );
  if (snapshot?.model) inputs.push({ path: snapshot.model.file, what: 'the model of that snapshot' });
  return inputs;
}

/** What a net's definition names. */
function inputsOfNet({ param, file }: NetDefinition, baseFolder = ''): NamedPath[] {
  return filesNamedBy(param).map(({ path, layer, field }) => ({
    path: resolve(baseFolder, path),
    what: `${field} of layer '${layer}' in ${file ?? 'the solver'}`,
  }));
}

/** Raises an error for settings that no training can work with. */
function check(param: SolverParameter): void {
  checkPolicy(param);
  for (const field of ['iter_size', 'average_loss'] as const)
    if (!(param[field] >= 1)) throw new RistrettoError(`must be at least 1, not ${param[field]}`, { field });
  if (param.momentum < 0) throw new RistrettoError('cannot be negative', { field: 'momentum' });
}

import type { Blob } from '../blob/index.js';
import { NetError, UsageError } from '../errors/index.js';
import {
  NativeMemory,
  onDevice,
  Stream,
  type InstructionSet,
  type NativeBuffer,
  type NativeStream,
  type Rounding,
} from '../native/index.js';
import { clone, create, Phase, readWeights, upgradeNet, type NetParameter } from '../proto/index.js';
import { ActivationArena } from './arena.js';
import {
  buildNet,
  checkNetTypes,
  closeLayers,
  locateError,
  locateInFile,
  type Connections,
  type NetLayer,
} from './build.js';
import { filterNet, withLayers } from './filter-net.js';
import { noDiffs, planDiffs, planGradients, type DiffPlan } from './gradients.js';
import { insertSplits } from './insert-splits.js';
import type { BackwardPass, BatchShare, Layer, LayerRegistry } from './layer.js';
import { PassSignals } from './pass-signals.js';
import { checkMemory, measureMemory, memoryLimit, type NetMemory } from './memory.js';
import { collectParams, fillParams, type NetParam } from './params.js';
import { RecordedPass, type Stretch } from './recorded-pass.js';
import { defaultPartBytes, turnTo, type PartedRun } from './batch-parts.js';
import {
  fuseReluGradients,
  fuseRelus,
  plainPlan,
  planNet,
  planTraining,
  undoPlan,
  type Plan,
} from './plan.js';
import { copyTrained, netToProto, setLearnable, type CopyReport } from './weights.js';
import { traceNonFinite } from './non-finite.js';
import { checkWiring, listNames, suggestion } from './wiring.js';
import {
  checkArgument,
  checkOptions,
  flag,
  required,
  text,
  type OptionKinds,
} from '../util/check-options.js';
import { defaultRegistry } from './default-registry.js';
import {
  backwardOptionKinds,
  copyOptionKinds,
  forwardOptionKinds,
  netOptionKinds,
  weightsKind,
} from './net-option-kinds.js';

export interface NetOptions {
  /** The net as read from a prototxt, legacy forms upgraded. It is not changed. */
  param: NetParameter;
  /** Layer types the net may use; those of the package where unset. */
  registry?: LayerRegistry;
  /** State that include and exclude rules are held against; where unset, the prototxt's `state`, else TEST. */
  phase?: Phase;
  level?: number;
  stages?: readonly string[];
  /**
   * The queue that the layers run on; the net makes one of `threads` threads, on the current device, where none is
   * given. All memory that the net takes, at whatever time, belongs to the stream's device.
   */
  stream?: NativeStream;
  threads?: number;
  isa?: InstructionSet;
  /** Collect timings in the stream that the net makes. */
  profile?: boolean;
  /**
   * The net computes gradients: nothing that `backward` reads is overwritten or shared. With `keep: 'all'` all
   * diffs stay readable too, else those of the parameters alone.
   */
  backward?: boolean;
  /** The net runs on one of the equal parts that a batch was cut into; the whole batch where unset. */
  batchShare?: BatchShare;
  /** Seeds fillers, crops, mirrors, dropout. Default 0. */
  seed?: number;
  /**
   * Blobs whose values stay readable after a pass: all of them, or the outputs and those named. Where not all
   * stay, ReLUs are fused, Concats written in place, and activations share memory. Default 'outputs'.
   */
  keep?: 'all' | 'outputs' | readonly string[];
  /**
   * Layers without bottoms whose tops are found here (by name, or among another net's own inputs) are not made:
   * their tops are these blobs, so several nets run on one decoded batch. The blobs are never written.
   */
  sources?: Net | ReadonlyMap<string, Blob>;
  /** Memory for activations that nets on the same stream share. */
  arena?: ActivationArena;
  /** Data layers read from here instead of the source in the prototxt; may differ by phase. */
  dataSource?: string | { train?: string; test?: string };
  /** Folder that relative sources in the prototxt start from. */
  baseFolder?: string;
  /** Data layers: skip and count records that cannot be read. */
  skipBad?: boolean;
  /** Quantised layers: rounds to nearest by this rule instead of half away from zero. */
  rounding?: Rounding;
  /** Quantised layers: trims activations in the TRAIN phase too; gradients stop where one was clipped. */
  trainActivations?: boolean;
  /**
   * Quantised layers: parameters in the TRAIN phase are rounded as their formats say (to nearest), not
   * stochastically as the original does.
   */
  trainNearest?: boolean;
  /** Bytes that the net may need at most; the machine's memory where unset. */
  memoryLimit?: number;
  /**
   * Bytes that one layer's bottoms and tops may take at a time: a larger batch is run in parts where the layers
   * allow it, each part through all of them. Infinity keeps batches whole, the default on a GPU; 32 MB elsewhere.
   */
  partBytes?: number;
  /** Aborts creation and every pass. */
  signal?: AbortSignal;
}

/** Called after a layer was enqueued: ops enqueued on `stream` from here run right behind it. */
export type Observer = (
  layer: Layer,
  bottom: readonly Blob[],
  top: readonly Blob[],
  stream: NativeStream,
) => void | Promise<void>;

export interface ForwardOptions {
  observe?: Observer;
  /** Index of the first layer to run (default 0); after 0 only with `keep: 'all'`. */
  from?: number;
  /** Index of the last layer to run (default: the last). */
  to?: number;
  signal?: AbortSignal;
}

export interface BackwardOptions {
  observe?: Observer;
  signal?: AbortSignal;
}

/** A pass under way: what its layers are enqueued with. */
interface Pass {
  observe?: Observer;
  signals: PassSignals;
}

export interface CopyOptions {
  /** Leaves parameters that the weights do not have to the fillers instead of raising an error. */
  allowMissing?: boolean;
  /** Where a message was read from, for errors. */
  file?: string;
}

/**
 * A net ready to run: the layers that a state selects, their blobs, their parameters. Made by `Net.create`; one
 * pass at a time.
 */
export class Net {
  readonly name: string;
  readonly phase: Phase;
  readonly stream: NativeStream;
  /** Layers in the order in which they run, splits included, layers taken from `sources` not. */
  readonly layers: readonly NetLayer[];
  /** Learnable parameters in the order of layers. */
  readonly params: readonly NetParam[];
  /** The prototxt asks for gradients of the inputs too. */
  readonly forceBackward: boolean;
  readonly #connections: Connections;
  readonly #options: NetOptions;
  readonly #keepAll: boolean;
  readonly #kept: ReadonlySet<string>;
  readonly #ownsStream: boolean;
  readonly #arena: ActivationArena;
  readonly #ownsArena: boolean;
  #fused: ReadonlySet<number> = new Set();
  #fusedGradients: ReadonlySet<number> = new Set();
  /** Each layer's part in a backward pass. */
  readonly #gradients: readonly (BackwardPass | null)[];
  #diffs: DiffPlan = noDiffs;
  #diffMemory: NativeBuffer | null = null;
  #forwardDone = false;
  #plan: Plan = plainPlan(new Set());
  /** Whether the plan may run the batch in parts; an observer wants whole blobs. */
  #inParts = true;
  #memory!: NetMemory;
  /** Shape arrays that each layer was last reshaped with: a blob gets a new array when its shape changes. */
  #shapes: (readonly number[])[][] = [];
  #boundTo: object | null = null;
  #shapesDependOnValues = false;
  readonly #recorded = new RecordedPass();
  #running = false;
  #closed = false;

  /** Builds a net: wiring checked, every shape set, total memory known, none of it taken. */
  static async create(options: NetOptions): Promise<Net> {
    checkOptions('Net.create', options, netOptionKinds);
    const { threads, isa, profile } = options;
    const stream = options.stream ?? new Stream({ threads, isa, profile });
    try {
      return await onDevice(stream.device, () => Net.#build(options, stream));
    } catch (error) {
      if (!options.stream) stream.close();
      throw locateInFile(error, options.param);
    }
  }

  static async #build(options: NetOptions, stream: NativeStream): Promise<Net> {
    const { registry = defaultRegistry('Net.create'), signal } = options;
    const param = upToDate(options.param);
    const state = param.state;
    const phase = options.phase ?? state?.phase ?? Phase.TEST;
    const filtered = filterNet(param, {
      phase,
      level: options.level ?? state?.level ?? 0,
      stage: options.stages ?? state?.stage ?? [],
    });
    if (filtered.layer.length === 0)
      throw new NetError('the net has no layers in this phase, level and stage');
    const sources =
      options.sources instanceof Net ? options.sources.sourceTops : (options.sources ?? new Map());
    const complete = withLayers(filtered, [...sourceLayers(filtered, sources), ...filtered.layer]);
    checkNetTypes(complete.layer, { registry, sources });
    checkWiring(complete.layer);
    const dataSource =
      typeof options.dataSource === 'object'
        ? options.dataSource[phase === Phase.TRAIN ? 'train' : 'test']
        : options.dataSource;
    const connections = await buildNet(insertSplits(complete), {
      registry,
      phase,
      sources,
      signal,
      context: {
        seed: options.seed ?? 0,
        dataSource,
        skipBad: options.skipBad,
        baseFolder: options.baseFolder,
        rounding: options.rounding,
        trainActivations: options.trainActivations,
        trainNearest: options.trainNearest,
        backward: options.backward,
        batchShare: options.batchShare,
        signal,
      },
    });
    try {
      return new Net(options, stream, phase, connections);
    } catch (error) {
      await closeLayers(connections.layers);
      throw error;
    }
  }

  private constructor(options: NetOptions, stream: NativeStream, phase: Phase, connections: Connections) {
    if (!connections) throw new UsageError('a net is made by `await Net.create(options)`');
    this.#options = options;
    this.#connections = connections;
    this.name = options.param.name;
    this.phase = phase;
    this.layers = connections.layers;
    this.forceBackward = options.param.force_backward;
    this.#keepAll = options.keep === 'all';
    this.#kept = new Set([...connections.outputs, ...(Array.isArray(options.keep) ? options.keep : [])]);
    for (const name of this.#kept) this.#find(name);
    for (const { layer } of this.layers) if (layer.param.blobs.length) setLearnable(layer, layer.param.blobs);
    this.params = collectParams(this.layers, options.seed ?? 0);
    this.#gradients = options.backward
      ? planGradients(this.layers, this.params, this.forceBackward)
      : this.layers.map(() => null);
    this.#fused = this.#keepAll ? new Set() : fuseRelus(this.layers);
    this.#fusedGradients = fuseReluGradients(this.layers, this.#gradients, this.#fused);
    this.#arena = options.arena ?? new ActivationArena();
    this.#ownsArena = !options.arena;
    this.#ownsStream = !options.stream;
    this.stream = stream;
    this.#makePlan();
    this.#arena.attach(this.stream);
  }

  /** The blobs that no layer reads, sorted by name. */
  get outputs(): Blob[] {
    return this.#connections.outputs.map((name) => this.#connections.blobs.get(name)!);
  }

  /** Names of the outputs, in the order of `outputs`. */
  get outputNames(): readonly string[] {
    return this.#connections.outputs;
  }

  /** Tops of the layers without bottoms, and the blobs taken from `sources`, by name. */
  get sourceTops(): ReadonlyMap<string, Blob> {
    return this.#connections.sourceTops;
  }

  get blobNames(): string[] {
    return [...this.#connections.blobs.keys()];
  }

  /** Shapes of all blobs by name. */
  get shapes(): Map<string, readonly number[]> {
    return new Map([...this.#connections.blobs].map(([name, blob]) => [name, blob.shape]));
  }

  /** Bytes that the net's blobs take, by kind. */
  get memory(): NetMemory {
    return this.#memory;
  }

  /** The sum of all tops with a loss weight, times that weight, in the last pass. */
  get loss(): number {
    let loss = 0;
    for (const { top, lossWeights } of this.layers)
      for (const [i, weight] of lossWeights.entries())
        if (weight) for (const value of top[i].toArray()) loss += weight * value;
    return loss;
  }

  /** Whether the net has a blob of this name. */
  has(name: string): boolean {
    return this.#connections.blobs.has(name);
  }

  /** A blob whose values stay readable; an error for an unknown one, or one whose memory others use. */
  blob(name: string): Blob {
    checkArgument('blob', 'name', name, required(text));
    const blob = this.#find(name);
    if (this.#plan.offsets.has(blob.owner) || this.#plan.replaced.has(blob.owner))
      throw new UsageError(`blob '${name}' shares its memory with others: name it in \`keep\` to read it`);
    return blob;
  }

  /** The first layer of this name; an error where there is none. */
  layer(name: string): NetLayer {
    checkArgument('layer', 'name', name, required(text));
    const found = this.layers.find((entry) => entry.name === name);
    if (found) return found;
    const names = this.layers.map((entry) => entry.name);
    throw new NetError(
      `the net has no layer '${name}'${suggestion(name, names)}; its layers are ${listNames(names)}`,
    );
  }

  /**
   * Runs one pass and waits until it is done; the outputs and the kept blobs then hold its values. Rejects with
   * the first error, or the signal's reason, when the stream is at rest again.
   */
  async forward(options: ForwardOptions = {}): Promise<void> {
    checkOptions('forward', options, forwardOptionKinds);
    await this.#located(() => this.#forward(options));
  }

  /** Does something on the net's device; errors of a layer say where in the net's file that is. */
  async #located(work: () => Promise<void>): Promise<void> {
    try {
      await onDevice(this.stream.device, work);
    } catch (error) {
      throw locateInFile(error, this.#options.param);
    }
  }

  async #forward(options: ForwardOptions): Promise<void> {
    const { from = 0, to = this.layers.length - 1 } = options;
    this.#refuseUse();
    if (!(
      Number.isInteger(from) &&
      Number.isInteger(to) &&
      from >= 0 &&
      from < this.layers.length &&
      to < this.layers.length
    ))
      throw new UsageError(`layers ${from} to ${to} are not within 0 to ${this.layers.length - 1}`);
    if (from > 0 && !this.#keepAll) throw new UsageError("`from` needs a net made with keep: 'all'");
    const signals = new PassSignals(this.stream, this.#options.signal, options.signal);
    this.#running = true;
    try {
      fillParams(this.params);
      await signals.run(() => this.#arena.exclusive(() => this.#enqueue(from, to, { ...options, signals })));
      this.#forwardDone = true;
    } catch (error) {
      throw this.#ended(error, signals);
    } finally {
      this.#running = false;
    }
  }

  /**
   * Computes the gradients of the last pass's loss: adds them to the diffs of the parameters that learn, and
   * waits until it is done. Needs `backward` among the net's options; every `forward` allows one.
   */
  async backward(options: BackwardOptions = {}): Promise<void> {
    checkOptions('backward', options, backwardOptionKinds);
    await this.#located(() => this.#backward(options));
  }

  async #backward(options: BackwardOptions): Promise<void> {
    this.#refuseUse();
    if (!this.#options.backward) throw new UsageError('backward needs a net made with backward: true');
    if (!this.#forwardDone) throw new UsageError('backward needs a forward pass before it');
    const signals = new PassSignals(this.stream, this.#options.signal, options.signal);
    this.#running = true;
    this.#forwardDone = false;
    try {
      await signals.run(() => this.#enqueueBackward({ ...options, signals }));
    } catch (error) {
      throw this.#ended(error, signals);
    } finally {
      this.#running = false;
    }
  }

  /** What a closed net cannot do. */
  #refuseClosed(): void {
    if (this.#closed) throw netClosed(this.name);
  }

  /** What neither a closed net can do nor one in the middle of a pass. */
  #refuseUse(): void {
    this.#refuseClosed();
    if (this.#running) throw new UsageError('the net runs already: await its pass first');
  }

  /** Why a pass ended: where the net was closed meanwhile, its error is only what came of that. */
  #ended(error: unknown, signals: PassSignals): unknown {
    return this.#closed && !signals.aborted ? netClosed(this.name, error) : error;
  }

  /** Sets the diffs of all parameters to 0: what a new sum of gradients starts from. */
  clearParamDiffs(): void {
    this.#refuseClosed();
    for (const { blob } of this.learnedParams) blob.diff.fill(0);
  }

  /** Parameters that get a gradient in a backward pass, shared ones once. */
  get learnedParams(): NetParam[] {
    const learned = new Set<Blob>();
    for (const [index, pass] of this.#gradients.entries())
      for (const [i, blob] of this.layers[index].layer.blobs.entries())
        if (pass?.paramWanted[i]) learned.add(blob.owner);
    return this.params.filter(({ blob, owner }) => !owner && learned.has(blob));
  }

  /**
   * Copies trained weights (a message, or the path of a caffemodel or HDF5 file) into the layers of the same
   * name. A misfit of shapes is always an error, so are parameters left without values unless `allowMissing`.
   */
  async copyTrainedLayers(weights: NetParameter | string, options: CopyOptions = {}): Promise<CopyReport> {
    this.#refuseUse();
    checkArgument('copyTrainedLayers', 'weights', weights, required(weightsKind));
    checkOptions('copyTrainedLayers', options, copyOptionKinds);
    const file = typeof weights === 'string' ? weights : options.file;
    const message = typeof weights === 'string' ? await readWeights(weights) : weights;
    // Reading takes its time.
    this.#refuseUse();
    return copyTrained(this.layers, this.params, message, { ...options, file });
  }

  /** The net as a message, parameters included: what a caffemodel holds. Its numbers are copies. */
  toProto(options: { withDiff?: boolean } = {}): NetParameter {
    this.#refuseClosed();
    checkOptions('toProto', options, protoOptionKinds);
    fillParams(this.params);
    return netToProto(this.name, this.layers, options.withDiff);
  }

  /**
   * Says where the first number of the last pass that is not finite came from; null where there is none. The inputs of
   * that pass are run once more, by a net made for it; this one stays as it is.
   */
  async whereNotFinite(): Promise<string | null> {
    this.#refuseUse();
    const twin = await Net.create({
      ...this.#options,
      sources: this.sourceTops,
      stream: this.stream,
      arena: undefined,
      keep: undefined,
      backward: undefined,
      memoryLimit: undefined,
    });
    try {
      return await traceNonFinite(this, twin);
    } finally {
      await twin.close();
    }
  }

  /** Sets all shapes again after an input was reshaped. `forward` does so by itself. */
  reshape(): void {
    this.#refuseUse();
    this.#reshapeAll();
  }

  /**
   * Gives back the layers' files, threads and memory, the parameters, and the stream where the net made it. Outputs,
   * inputs and the blobs of the net's option `keep`, or those of `keep` here instead, stay readable. A pass under way
   * rejects. Rejects with the first error of a layer's own `close`, when all the rest was given back.
   */
  async close(options: { keep?: Iterable<Blob> } = {}): Promise<void> {
    checkOptions('close', options, closeOptionKinds);
    if (this.#closed) return;
    this.#closed = true;
    if (this.#ownsStream) this.stream.close();
    else if (this.#running) await this.stream.sync().catch(() => undefined);
    this.#recorded.reset();
    const failed = await closeLayers(this.layers);
    for (const { blob } of this.params) blob.free();
    const { own, sourceTops, blobs } = this.#connections;
    const kept = options.keep ?? (this.#keepAll ? own : [...this.#kept].map((name) => blobs.get(name)!));
    const readable = new Set<Blob>([...kept, ...this.outputs, ...sourceTops.values()]);
    for (const blob of own) if (!readable.has(blob)) blob.free();
    this.#diffMemory?.free();
    if (this.#ownsArena) this.#arena.free();
    if (failed) throw failed;
  }

  #find(name: string): Blob {
    const { blobs } = this.#connections;
    const blob = blobs.get(name);
    if (!blob)
      throw new NetError(
        `the net has no blob '${name}'${suggestion(name, blobs.keys())}; its blobs are ${listNames(blobs.keys())}`,
      );
    return blob;
  }

  async #enqueue(from: number, to: number, pass: Pass): Promise<void> {
    const inParts = !pass.observe && from === 0 && to === this.layers.length - 1;
    if (inParts !== this.#inParts && (inParts || this.#plan.runs.size > 0)) {
      this.#inParts = inParts;
      this.#reshapeAll();
    }
    this.#bindPlan();
    const range = this.layers.slice(from, to + 1);
    // Inputs first: only they change shapes in an ordinary pass, and then before anything was computed.
    for (const entry of range) if (entry.bottom.length === 0) await this.#runLayer(entry, pass);
    const rest = range.filter((entry) => entry.bottom.length > 0);
    if (rest.some(({ index }) => this.#shapesChanged(index))) {
      this.#reshapeAll();
      this.#bindPlan();
    }
    let stretches =
      inParts && !this.#shapesDependOnValues
        ? this.#recorded.stretches(rest, this.params, this.#plan)
        : new Map<number, Stretch>();
    for (let i = 0; i < rest.length; i++) {
      const stretch = stretches.get(rest[i].index);
      if (stretch && !stretch.entries.some(({ index }) => this.#shapesChanged(index))) {
        this.#launch(stretch, pass);
        i += stretch.entries.length - 1;
        continue;
      }
      if (this.#shapesChanged(rest[i].index)) {
        stretches = new Map();
        if (this.#followValues(rest[i].index)) i = 0;
      }
      const run = this.#plan.runs.get(rest[i].index);
      if (run) {
        await this.#runParts(run, pass);
        i += run.layers.length - 1;
      } else await this.#runLayer(rest[i], pass);
    }
  }

  async #runParts(run: PartedRun, pass: Pass): Promise<void> {
    for (let part = 0; part < run.parts; part++) {
      turnTo(run, part);
      for (const entry of run.layers) await this.#runLayer(entry, pass);
    }
  }

  async #enqueueBackward({ observe, signals }: Pass): Promise<void> {
    if (this.#diffs.bytes > 0 && !this.#diffMemory) {
      this.#diffMemory = new NativeMemory(this.#diffs.bytes);
      for (const [blob, offset] of this.#diffs.offsets) blob.bindDiff(this.#diffMemory, offset, blob.count);
    }
    for (let index = this.layers.length - 1; index >= 0; index--) {
      const pass = this.#gradients[index];
      if (!pass) continue;
      signals.throwIfAborted();
      const { layer, type, lossWeights, bottom, top } = this.layers[index];
      for (const [i, weight] of lossWeights.entries()) if (weight) top[i].diff.fill(weight);
      // A Concat that was written in place finds its bottoms' diffs in place, too.
      const inPlace = type === 'Concat' && this.#plan.omitted.has(index);
      if (!inPlace && !this.#fusedGradients.has(index)) {
        try {
          const pending = signals.guard(() => layer.backward(pass, this.stream));
          if (pending) await pending;
        } catch (error) {
          throw locateError(error, layer.name);
        }
      }
      if (observe) await observe(layer, bottom, top, this.stream);
    }
  }

  /** Enqueues recorded layers; they are recorded where they were not yet. */
  #launch(stretch: Stretch, { signals }: Pass): void {
    const { run, entries } = stretch;
    for (let part = 0; part < stretch.parts; part++) {
      const enqueue = () => {
        if (run) turnTo(run, part);
        for (const { index, layer, bottom, top } of run?.layers ?? entries) {
          if (this.#plan.omitted.has(index)) continue;
          try {
            if (layer.forward(bottom, top, this.stream))
              throw new Error(`a layer of type ${layer.type} that repeats must not wait`);
          } catch (error) {
            throw locateError(error, layer.name);
          }
        }
      };
      signals.guard(() => stretch.launch(part, this.stream, enqueue));
    }
  }

  async #runLayer({ index, layer, bottom, top }: NetLayer, { observe, signals }: Pass): Promise<void> {
    signals.throwIfAborted();
    if (!this.#plan.omitted.has(index)) {
      try {
        const pending = signals.guard(() => layer.forward(bottom, top, this.stream));
        if (pending) await pending;
      } catch (error) {
        throw locateError(error, layer.name);
      }
    }
    if (observe) await observe(layer, bottom, top, this.stream);
  }

  /** Takes the arena's memory at the first pass, and again when the arena had to grow for another net. */
  #bindPlan(): void {
    const { offsets, arenaBytes } = this.#plan;
    if (arenaBytes === 0) return;
    const { buffer } = this.#arena;
    if (this.#boundTo === buffer) return;
    for (const [blob, offset] of offsets) blob.bindData(buffer, offset, blob.count);
    this.#boundTo = buffer;
  }

  #makePlan(): void {
    const { own, sourceTops, blobs } = this.#connections;
    undoPlan(this.#plan);
    this.#plan = plainPlan(this.#fused);
    if (!this.#keepAll && !this.#shapesDependOnValues) {
      const fixed = new Set<Blob>([...sourceTops.values()].map((blob) => blob.owner));
      for (const name of this.#kept) fixed.add(blobs.get(name)!.owner);
      for (const { top, lossWeights } of this.layers)
        for (const [i, blob] of top.entries()) if (lossWeights[i]) fixed.add(blob.owner);
      const plannable = (blob: Blob) => own.has(blob) && !fixed.has(blob.owner);
      this.#plan = this.#options.backward
        ? planTraining(this.layers, plannable, this.#fused)
        : planNet(
            this.layers,
            plannable,
            this.#fused,
            this.#inParts && !this.#options.batchShare
              ? (this.#options.partBytes ?? defaultPartBytes(this.stream))
              : Infinity,
          );
    }
    for (const blob of this.#diffs.offsets.keys()) blob.releaseDiff();
    this.#diffMemory = null;
    this.#diffs = planDiffs(this.layers, this.#gradients, this.#keepAll);
    this.#forwardDone = false;
    this.#recorded.reset();
    this.#boundTo = null;
    this.#memory = measureMemory(this.layers, this.params, own, this.#plan, this.#diffs);
    checkMemory(this.#memory, this.#options.memoryLimit ?? memoryLimit());
    this.#arena.require(this.#plan.arenaBytes);
    this.#shapes = this.layers.map(({ bottom }) => bottom.map((blob) => blob.shape));
  }

  #reshapeAll(): void {
    this.#reshapeFrom(0);
    this.#makePlan();
  }

  #shapesChanged(index: number): boolean {
    const seen = this.#shapes[index];
    return this.layers[index].bottom.some((blob, i) => blob.shape !== seen[i]);
  }

  #reshapeFrom(index: number): void {
    undoPlan(this.#plan);
    this.#plan = plainPlan(this.#fused);
    for (const { layer, bottom, top } of this.layers.slice(index)) {
      if (bottom.length === 0) continue;
      try {
        layer.reshape(bottom, top);
      } catch (error) {
        throw locateError(error, layer.name);
      }
    }
  }

  /**
   * Follows a shape that values decided (Filter) from layer `index` on. Memory cannot be planned then: from now
   * on every blob has its own. True where the pass must start again, because that move lost its values.
   */
  #followValues(index: number): boolean {
    const planned = this.#plan.offsets.size > 0 || this.#plan.slices.length > 0;
    this.#shapesDependOnValues = true;
    this.#reshapeFrom(planned ? 0 : index);
    this.#makePlan();
    return planned;
  }
}

const protoOptionKinds: OptionKinds<{ withDiff?: boolean }> = { withDiff: flag };
const closeOptionKinds: OptionKinds<{ keep?: Iterable<Blob> }> = {
  keep: { is: 'blobs', accepts: isIterable },
};

function isIterable(value: unknown): boolean {
  return typeof (value as Iterable<unknown> | null)?.[Symbol.iterator] === 'function';
}

/** What is said to whoever uses a net that is closed. */
export function netClosed(name: string, cause?: unknown): UsageError {
  return new UsageError('the net is closed', { field: name && `net '${name}'`, cause });
}

/** The net in today's form; the caller's message stays as it is. */
function upToDate(param: NetParameter): NetParameter {
  if (param.layers.length === 0 && param.input.length === 0) return param;
  return upgradeNet(clone(param, { shareArrays: true }));
}

/** Stand-ins for the producers of given blobs that no layer of the net makes. */
function sourceLayers(param: NetParameter, sources: ReadonlyMap<string, Blob>) {
  const made = new Set(param.layer.flatMap((layer) => layer.top));
  return [...sources.keys()]
    .filter((name) => !made.has(name))
    .map((name) => create('LayerParameter', { name, type: 'Input', top: [name] }));
}

import type { Blob } from '../blob/index.js';
import { NetError, UsageError } from '../errors/index.js';
import {
  ActivationArena,
  Net,
  netClosed,
  netOptionKinds,
  type CopyOptions,
  type CopyReport,
  type NetLayer,
  type NetMemory,
  type NetOptions,
  type NetParam,
} from '../graph/index.js';
import { defaultPartBytes } from '../graph/batch-parts.js';
import { locateError, locateInFile } from '../graph/build.js';
import { checkMemory, memoryLimit } from '../graph/memory.js';
import { fillParams } from '../graph/params.js';
import { PassSignals } from '../graph/pass-signals.js';
import { fixedBound, NativeMemory, onDevice, type FixedBound, type NativeStream } from '../native/index.js';
import type { NetParameter, Phase } from '../proto/index.js';
import { abortSignal, checkOptions, flag, listOf, text, type OptionKinds } from '../util/check-options.js';
import { decide } from './decide.js';
import { describePlan, type PlanDescription } from './describe.js';
import { lower, type Lowering } from './lower.js';
import { DEFAULT_PART_BYTES, planMemory, type MemoryPlan } from './memory-plan.js';
import { measureUse } from './memory-use.js';
import { ParameterStore } from './parameters.js';
import { codeTensorOf, productFields, Program } from './program.js';
import type { ProductStep } from './steps.js';
import { isQuantisedType, refuseUnlowered, type Unlowered } from './unlowered.js';
import { wire } from './values.js';

export interface IntegerNetOptions extends Omit<NetOptions, 'partBytes' | 'keep'> {
  /** Blobs whose numbers stay readable after a pass, besides the outputs. */
  keep?: readonly string[];
  /** Bytes of codes that a part of a batch may take: a larger batch runs in parts. Results do not depend on it. */
  partBytes?: number;
  /** Keeps the codes of every layer until the next pass, as `verify` wants them; the batch runs whole. */
  retain?: boolean;
  /** Quantised layers that cannot run on codes are an error. */
  strict?: boolean;
}

/** What `IntegerNet.create` takes. */
export const integerNetOptionKinds: OptionKinds<IntegerNetOptions> = {
  ...netOptionKinds,
  keep: listOf(text),
  retain: flag,
  strict: flag,
};

const forwardOptionKinds: OptionKinds<{ signal?: AbortSignal }> = { signal: abortSignal };

/** A net whose quantised layers run on integer codes; what cannot runs in float32. Made by `IntegerNet.create`. */
export class IntegerNet {
  readonly #net: Net;
  readonly #options: IntegerNetOptions;
  readonly #arena: ActivationArena;
  readonly #parameters = new ParameterStore();
  readonly #kept: ReadonlySet<Blob>;
  #lowering: Lowering | null = null;
  #plan: MemoryPlan | null = null;
  #program: Program | null = null;
  #bounds = new Map<ProductStep, FixedBound>();
  #shapes: (readonly number[])[] = [];
  #running = false;
  #closed = false;

  /** Builds a net; its layers are lowered when its parameters are known, before the first pass. */
  static async create(options: IntegerNetOptions): Promise<IntegerNet> {
    checkOptions('IntegerNet.create', options, integerNetOptionKinds);
    const { keep = [], partBytes: _partBytes, retain: _retain, strict, arena: _arena, ...rest } = options;
    // Blobs take memory when they are first used: those that exist as codes only never do.
    const net = await Net.create({ ...rest, keep: 'all', partBytes: Infinity, memoryLimit: Infinity });
    try {
      const made = new IntegerNet(net, options, new Set(keep.map((name) => net.blob(name))));
      if (strict) refuseUnlowered(made.unlowered);
      return made;
    } catch (error) {
      await net.close();
      throw error;
    }
  }

  private constructor(net: Net, options: IntegerNetOptions, kept: ReadonlySet<Blob>) {
    if (!(net instanceof Net))
      throw new UsageError('such a net is made by `await IntegerNet.create(options)`');
    this.#net = net;
    this.#options = options;
    this.#kept = kept;
    this.#arena = options.arena ?? new ActivationArena();
    this.#arena.attach(net.stream);
    const changing = net.layers.find(({ type }) => type === 'Filter');
    if (changing)
      throw new NetError('decides shapes by values, which a plan of integer steps cannot follow', {
        layer: changing.name,
      });
  }

  /** Quantised layers that compute in float32, and why; what their weights say counts once they are known. */
  get unlowered(): Unlowered[] {
    const decisions =
      this.#lowering?.decisions ??
      decide(
        wire(this.#net.layers, () => false),
        new Map(),
      );
    return [...decisions].flatMap(([layer, decision]) =>
      isQuantisedType(layer.type) && decision.kind === 'float' ? [{ layer, reason: decision.reason }] : [],
    );
  }

  /** Whether the codes of every layer stay until the next pass. */
  get retains(): boolean {
    return this.#options.retain ?? false;
  }
  get name(): string {
    return this.#net.name;
  }
  get phase(): Phase {
    return this.#net.phase;
  }
  get stream(): NativeStream {
    return this.#net.stream;
  }
  get layers(): readonly NetLayer[] {
    return this.#net.layers;
  }
  get params(): readonly NetParam[] {
    return this.#net.params;
  }
  get outputs(): Blob[] {
    return this.#net.outputs;
  }
  get outputNames(): readonly string[] {
    return this.#net.outputNames;
  }
  get sourceTops(): ReadonlyMap<string, Blob> {
    return this.#net.sourceTops;
  }
  get loss(): number {
    return this.#net.loss;
  }

  /** Bytes that the net takes, by kind; of the float net it was made from, until it is lowered. */
  get memory(): NetMemory {
    if (!this.#lowering) return this.#net.memory;
    return measureUse(this.#net, this.#lowering, this.#plan!.arenaBytes);
  }

  has(name: string): boolean {
    return this.#net.has(name);
  }

  layer(name: string): NetLayer {
    return this.#net.layer(name);
  }

  /** A blob whose numbers stay readable: an output, one named in `keep`, or one that no layer made of codes. */
  blob(name: string): Blob {
    const blob = this.#net.blob(name);
    const value = this.#lowering?.wiring.values.findLast((other) => other.blob === blob);
    if (value && !value.kept && this.#lowering!.stored.has(value))
      throw new UsageError(`blob '${name}' exists as codes only: name it in \`keep\` to read it`);
    return blob;
  }

  async copyTrainedLayers(weights: NetParameter | string, options: CopyOptions = {}): Promise<CopyReport> {
    this.#refuseUse();
    return this.#net.copyTrainedLayers(weights, options);
  }

  /** As `Net.whereNotFinite`, of a simulation in float32. */
  async whereNotFinite(): Promise<string | null> {
    this.#refuseUse();
    return this.#net.whereNotFinite();
  }

  /** How the net's layers run; made from the parameters' values, anew when they have changed. */
  async prepare(): Promise<{
    lowering: Lowering;
    plan: MemoryPlan;
    bounds: ReadonlyMap<ProductStep, FixedBound>;
    parameters: ParameterStore;
  }> {
    this.#refuseClosed();
    fillParams(this.#net.params);
    if (!this.#lowering || this.#shapesChanged() || this.#parameters.stale([...this.#bounds.keys()]))
      await onDevice(this.stream.device, () => this.#lower());
    return {
      lowering: this.#lowering!,
      plan: this.#plan!,
      bounds: this.#bounds,
      parameters: this.#parameters,
    };
  }

  /** How each layer runs, step by step. */
  async describe(): Promise<PlanDescription> {
    const { lowering, plan, bounds, parameters } = await this.prepare();
    return describePlan(lowering, plan, bounds, parameters);
  }

  /** Runs one pass and waits until it is done; the outputs then hold its values. */
  async forward(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkOptions('forward', options, forwardOptionKinds);
    try {
      await onDevice(this.stream.device, () => this.#forward(options));
    } catch (error) {
      throw locateInFile(error, this.#options.param);
    }
  }

  async #forward(options: { signal?: AbortSignal }): Promise<void> {
    this.#refuseUse();
    this.#running = true;
    const { stream } = this.#net;
    const signals = new PassSignals(stream, this.#options.signal, options.signal);
    try {
      await signals.run(() =>
        this.#arena.exclusive(async () => {
          await this.#runSources(signals);
          await this.prepare();
          await this.#bound().run(stream, signals);
        }),
      );
    } catch (error) {
      throw this.#closed && !signals.aborted ? netClosed(this.name, error) : error;
    } finally {
      this.#running = false;
    }
  }

  /** Gives back what the net holds, as `Net.close` does. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#program?.free();
    this.#program = null;
    try {
      await this.#net.close({ keep: this.#kept });
    } finally {
      this.#parameters.free();
      if (!this.#options.arena) this.#arena.free();
    }
  }

  #refuseClosed(): void {
    if (this.#closed) throw netClosed(this.name);
  }

  #refuseUse(): void {
    this.#refuseClosed();
    if (this.#running) throw new UsageError('the net runs already: await its pass first');
  }

  /** The program on the arena's memory as it is now. */
  #bound(): Program {
    const { buffer } = this.#arena;
    if (this.#program?.buffer !== buffer) {
      this.#program?.free();
      this.#program = new Program(this.#plan!, this.#parameters, buffer);
    }
    return this.#program!;
  }

  /** The program of the last pass, for whoever reads the codes that it left. */
  get program(): Program {
    this.#refuseClosed();
    if (!this.#program) throw new UsageError('the net has not run yet');
    return this.#program;
  }

  async #runSources(signals: PassSignals): Promise<void> {
    for (const { layer, bottom, top } of this.#net.layers) {
      if (bottom.length > 0) continue;
      try {
        const pending = signals.guard(() => layer.forward(bottom, top, this.#net.stream));
        if (pending) await pending;
      } catch (error) {
        throw locateError(error, layer.name);
      }
    }
  }

  #inputShapes(): (readonly number[])[] {
    return [...this.#net.sourceTops.values()].map(({ shape }) => shape);
  }

  #shapesChanged(): boolean {
    return this.#inputShapes().some((shape, i) => shape !== this.#shapes[i]);
  }

  async #lower(): Promise<void> {
    const { layers, stream } = this.#net;
    this.#net.reshape();
    this.#shapes = this.#inputShapes();
    const refused = new Map<NetLayer, string>();
    for (;;) {
      const lowering = lower(layers, {
        kept: (blob) => this.#kept.has(blob),
        refused,
        poolInTiles: stream.onDevice && !this.#options.retain,
      });
      const products = lowering.steps.filter((step) => step.kind === 'convolution');
      await this.#parameters.make(products, stream);
      const bounds = boundsOf(products, this.#parameters);
      let again = false;
      for (const [{ entry }, { accBits }] of bounds)
        if (accBits > 63) {
          refused.set(entry, `sums may take ${accBits + 1} bits, more than 64`);
          again = true;
        }
      if (again) continue;
      this.#lowering = lowering;
      this.#bounds = bounds;
      this.#program?.free();
      this.#plan = planMemory(lowering, {
        partBytes: this.#options.partBytes ?? defaultPartBytes(this.stream, DEFAULT_PART_BYTES),
        retain: this.#options.retain,
      });
      this.#program = null;
      try {
        checkMemory(this.memory, this.#options.memoryLimit ?? memoryLimit());
        if (this.#options.strict) refuseUnlowered(this.unlowered);
      } catch (error) {
        this.#lowering = null;
        throw error;
      }
      this.#arena.require(this.#plan.arenaBytes);
      return;
    }
  }
}

/** The largest sums of each product, from the weights' codes. */
function boundsOf(
  products: readonly ProductStep[],
  parameters: ParameterStore,
): Map<ProductStep, FixedBound> {
  return new Map(
    products.map((step) => {
      // One image of each side, in memory of its own: nothing is placed yet, and nothing runs.
      const memory = [step.src, step.dst].map((slice) => new NativeMemory(slice.memory.imageBytes));
      const [src, dst] = [step.src, step.dst].map((slice, i) => codeTensorOf(slice, memory[i], 1));
      const bound = fixedBound(productFields(step, parameters, src, dst));
      for (const buffer of memory) buffer.free();
      return [step, bound];
    }),
  );
}

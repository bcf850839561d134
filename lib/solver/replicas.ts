import { availableParallelism } from 'node:os';
import { NetError, UsageError } from '../errors/index.js';
import {
  sideBySide,
  type LayerCheckpoint,
  type Net,
  type NetOptions,
  type Observer,
} from '../graph/index.js';
import { onDevice, ops, type NativeDevice } from '../native/index.js';
import { clone, has, type LayerParameter, type NetParameter } from '../proto/index.js';
import { checkpointsOf, restoreCheckpoints } from './checkpoints.js';
import type { OutputValue } from './events.js';
import type { NetDefinition } from './net-definitions.js';
import { outputValues } from './outputs.js';
import { inputLayers, wideInputs, WideBatch } from './wide-batch.js';

/** Makes a net of a definition; what differs from one net to the other is in `more`. */
export type MakeNet = (definition: NetDefinition, more?: Partial<NetOptions>) => Promise<Net>;

/** Tensors that one elementwise pass takes. */
const MOST_OPERANDS = 8;

/**
 * The net in training, once on every device. Each replica runs its part of a batch that is as many times larger, at
 * the same time as the others; the gradients' mean becomes that of the first one, which holds the parameters. Sums are
 * made in the order of devices, so results depend on no timing. With one device it is that net and nothing else.
 */
export class Replicas {
  /** Holds the parameters, their gradients and statistics; its stream is where updates run. */
  readonly primary: Net;
  /** For each replica but the first: the primary's values that its parameters were copied from. */
  readonly #copied: (number | undefined)[][];
  /** Set when a pass failed: the replicas may then have counted it differently. */
  #apart = false;

  private constructor(
    readonly nets: readonly Net[],
    readonly devices: readonly NativeDevice[],
    readonly batch: WideBatch | null,
    private readonly inputLayers: readonly LayerParameter[],
  ) {
    this.primary = nets[0];
    this.#copied = nets.slice(1).map(() => []);
  }

  /**
   * Makes the net of a definition on every device, where none is given on the current one. Nets are made in this order:
   * the one that reads batches, the primary, the others; whoever makes them lets go of them where one fails.
   */
  static async create(
    make: MakeNet,
    definition: NetDefinition,
    options: Partial<NetOptions>,
    devices: readonly NativeDevice[] = [],
  ): Promise<Replicas> {
    const { arena, ...others } = options;
    const count = devices.length;
    if (count === 0) return new Replicas([await make(definition, options)], [], null, []);
    if (new Set(devices.map(({ id }) => id)).size < count)
      throw new UsageError(
        `devices: ${devices.map(({ id }) => id).join(', ')}: each GPU can stand there once`,
      );
    if (count === 1) {
      const net = await onDevice(devices[0], () => make(definition, options));
      return new Replicas([net], devices, null, []);
    }
    // The processor's threads work where a device has no kernel: for one replica as for the other.
    const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / count));
    const queue = { threads, isa: options.isa, profile: options.profile };
    const inputs = await onDevice(devices[0], () =>
      make(wideInputs(definition, count), { ...queue, keep: 'all' }),
    );
    if (inputs.params.length)
      throw new NetError('has no bottoms and learns: several GPUs cannot share it', {
        layer: inputs.params[0].layer.name,
      });
    const batch = new WideBatch(inputs, devices);
    const nets: Net[] = [];
    for (const [index, device] of devices.entries()) {
      const own = { ...others, ...queue, sources: batch.parts[index], batchShare: { index, count } };
      const more = index === 0 ? { ...own, arena, stream: inputs.stream } : own;
      nets.push(await onDevice(device, () => make(definition, more)));
    }
    const layers = inputLayers(definition).map((layer) => clone(layer, { shareArrays: true }));
    for (const layer of layers) if (!has(layer, 'phase')) layer.phase = definition.phase;
    return new Replicas(nets, devices, batch, layers);
  }

  /** Devices that train, at least 1: what the batch is multiplied by. */
  get count(): number {
    return this.nets.length;
  }

  /** The net whose layers read the data. */
  get inputs(): Net {
    return this.batch?.net ?? this.primary;
  }

  /** Images that an update of one pass sees: the largest first dimension of the inputs. */
  get batchSize(): number {
    return Math.max(1, ...[...this.inputs.sourceTops.values()].map(({ shape }) => shape[0] ?? 1));
  }

  /** The mean of the replicas' losses in the last pass. */
  get loss(): number {
    return this.nets.reduce((sum, { loss }) => sum + loss, 0) / this.count;
  }

  /** The outputs of the last pass: of those with one value the mean over the replicas, of others the first one's. */
  get outputs(): OutputValue[] {
    const [first, ...rest] = this.nets.map(outputValues);
    const sizes = new Map(this.primary.outputs.map(({ name, count }) => [name, count]));
    return first.map((output, i) => {
      if (sizes.get(output.name) !== 1 || rest.length === 0) return output;
      const value = rest.reduce((sum, values) => sum + values[i].value, output.value) / this.count;
      return { ...output, value };
    });
  }

  clearParamDiffs(): void {
    for (const net of this.nets) net.clearParamDiffs();
  }

  /** One forward pass of all replicas on the next batch; `observe` sees the first one. */
  async forward(options: { observe?: Observer } = {}): Promise<void> {
    if (this.batch) {
      if (this.#apart) await this.#align();
      await this.batch.forward();
      await this.#all(async (net, index) => {
        if (index > 0 && this.#copyParams(net, index - 1)) await net.stream.sync();
      });
    }
    await this.#all((net) => net.forward(net === this.primary ? options : {}));
  }

  /** The backward pass of all replicas: each adds to its own gradients. */
  async backward(options: { observe?: Observer } = {}): Promise<void> {
    await this.#all((net) => net.backward(net === this.primary ? options : {}));
  }

  /** Makes the gradients of the first replica the mean of all replicas'; enqueues the work on its stream. */
  reduceGradients(): void {
    const { count } = this;
    if (count === 1) return;
    const learned = this.nets.map((net) => net.learnedParams.map(({ blob }) => blob));
    for (const [index, { name }] of this.primary.learnedParams.entries()) {
      const [sum, ...others] = learned.map((blobs) => blobs[index].diffTensor());
      for (let from = 0; from < others.length; from += MOST_OPERANDS - 1) {
        const operands = [sum, ...others.slice(from, from + MOST_OPERANDS - 1)];
        const add = operands.slice(1).map((_, i) => ({ operation: 'add', dst: 0, a: 0, b: i + 1 }) as const);
        const scale = { operation: 'multiply', dst: 0, a: 0, constant: 1 / count } as const;
        const steps = from + MOST_OPERANDS - 1 < others.length ? add : [...add, scale];
        ops.elementwise(this.primary.stream, { operands, steps, label: name });
      }
    }
  }

  /** What the layers keep between passes, by name: as a single net with the whole batch would keep it. */
  get checkpoints(): Record<string, LayerCheckpoint> {
    return { ...(this.batch && checkpointsOf(this.batch.net)), ...checkpointsOf(this.primary) };
  }

  /** Goes on from checkpoints of a net with the same layers. */
  async restore(checkpoints: Record<string, LayerCheckpoint>, file: string): Promise<void> {
    const own = new Map(Object.entries(checkpoints));
    if (this.batch) {
      const names = this.batch.net.layers.map(({ name }) => name).filter((name) => own.has(name));
      await restoreCheckpoints(
        this.batch.net,
        Object.fromEntries(names.map((name) => [name, own.get(name)!])),
        file,
      );
      for (const name of names) own.delete(name);
    }
    for (const net of this.nets) await restoreCheckpoints(net, Object.fromEntries(own), file);
  }

  /** The net as a message, parameters included; input layers have the batch of one device, as they are defined. */
  toProto(options: { withDiff?: boolean } = {}): NetParameter {
    const message = this.primary.toProto(options);
    message.layer.unshift(...this.inputLayers);
    return message;
  }

  async close(): Promise<void> {
    const closing = await Promise.allSettled(this.nets.map((net) => net.close()));
    // The primary runs on its stream.
    await this.batch?.net.close();
    for (const result of closing) if (result.status === 'rejected') throw result.reason;
  }

  /** Brings a replica's parameters up to date where the primary's have changed; whether any was enqueued. */
  #copyParams(net: Net, index: number): boolean {
    const copied = this.#copied[index];
    let any = false;
    for (const [i, { blob, owner, name }] of net.params.entries()) {
      const source = this.primary.params[i].blob;
      if (owner || copied[i] === source.version) continue;
      ops.copy(net.stream, { src: source.tensor(), dst: blob.tensor(), label: name });
      blob.version++;
      copied[i] = source.version;
      any = true;
    }
    return any;
  }

  /** Lets all replicas go on from where the first one is: one of them may not have come as far as the others. */
  async #align(): Promise<void> {
    const checkpoints = checkpointsOf(this.primary);
    for (const net of this.nets.slice(1)) await restoreCheckpoints(net, checkpoints, 'the first GPU');
    for (const copied of this.#copied) copied.length = 0;
    this.#apart = false;
  }

  /** Does a thing with all replicas at once, and remembers where that failed. */
  async #all(work: (net: Net, index: number) => Promise<void>): Promise<void> {
    try {
      await sideBySide(this.nets, this.devices, work);
    } catch (error) {
      this.#apart = true;
      throw error;
    }
  }
}

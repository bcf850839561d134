import type { Blob } from '../blob/index.js';
import { createNet, type Engine, type RunnableNet } from '../engine/index.js';
import { ActivationArena, FiniteCheck, Net, type LayerRegistry, type NetOptions } from '../graph/index.js';
import { Stream, type NativeDevice, type NativeStream, type Rounding } from '../native/index.js';
import { clone, type NetParameter, type Phase } from '../proto/index.js';
import { RunningScores, type BatchScores, type NetScores, type OutputDescription } from './running-scores.js';

export interface EvaluatorOptions {
  weights: NetParameter;
  registry: LayerRegistry;
  threads?: number;
  /** Where the nets run; the current device where unset. */
  device?: NativeDevice;
  seed?: number;
  rounding?: Rounding;
  dataSource?: { train?: string; test?: string };
  skipBad?: boolean;
  allowMissing?: boolean;
  signal?: AbortSignal;
  /** How the nets that are scored run their quantised layers; 'auto' where unset. */
  engine?: Engine;
  /** State that include and exclude rules are held against, besides the phase. */
  level?: number;
  stages?: readonly string[];
}

/** Where a net is, and where its batches come from. */
type Places = Pick<NetOptions, 'sources' | 'arena' | 'stream' | 'batchShare'>;

/** Told of every batch of every net. */
export type OnBatch = (net: number, batch: number, outputs: OutputDescription[], scores: BatchScores) => void;

/** The outputs of a net as they are reported: sorted by name, with their weights in the loss. */
export function outputsOf(net: RunnableNet): OutputDescription[] {
  const weightOf = (blob: Blob): number => {
    for (const { top, lossWeights } of net.layers) {
      const index = top.indexOf(blob);
      if (index >= 0 && lossWeights[index]) return lossWeights[index];
    }
    return 0;
  };
  return net.outputs.map((blob, i) => ({
    name: net.outputNames[i],
    count: blob.count,
    lossWeight: weightOf(blob),
  }));
}

/** The values of all outputs, one after the other. */
export function outputValues(net: RunnableNet): Float32Array {
  const arrays = net.outputs.map((blob) => blob.toArray());
  const values = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    values.set(array, offset);
    offset += array.length;
  }
  return values;
}

/** Lets a net use the parameters of another one, layer by layer of the same name, instead of copies of its own. */
function shareParameters(net: RunnableNet, from: RunnableNet): void {
  const owners = new Map(from.layers.map(({ name, layer }) => [name, layer.blobs]));
  for (const { name, layer } of net.layers)
    for (const [index, blob] of layer.blobs.entries()) {
      const owner = owners.get(name)?.[index];
      if (!owner) continue;
      blob.shareData(owner);
      blob.version = owner.version;
    }
}

/**
 * Scores nets on the batches of their data layers. Nets that are scored together see each decoded batch once,
 * use one copy of the parameters, and share the memory of their activations; they are made for the call and let
 * go after it. Every call starts at the first record.
 */
export class Evaluator {
  readonly stream: NativeStream;
  /** Records that data layers left out so far, over all calls. */
  get skippedRecords(): number {
    return this.#skipped + (this.#sources ? skippedRecords(this.#sources) : 0);
  }
  /** Shared by all that is scored. */
  readonly finite = new FiniteCheck();
  #skipped = 0;
  #sources: Net | null = null;

  constructor(readonly options: EvaluatorOptions) {
    this.stream = new Stream({ threads: options.threads, device: options.device });
  }

  /** Makes a net of one phase with its parameters filled. */
  async createNet(param: NetParameter, phase: Phase, more: Partial<NetOptions> = {}): Promise<Net> {
    const net = await this.#create(param, phase, more);
    await this.#fill(net);
    return net;
  }

  /** Makes a net as those that are scored are made, with its parameters filled. */
  async createRunnable(param: NetParameter, phase: Phase, more: Places = {}): Promise<RunnableNet> {
    const net = await createNet(this.options.engine ?? 'auto', this.#options(param, phase, more));
    await this.#fill(net);
    return net;
  }

  /** Scores nets that differ in their layers' formats only, side by side, over `iterations` batches. */
  async score(
    params: readonly NetParameter[],
    phase: Phase,
    iterations: number,
    onBatch: OnBatch = () => {},
  ): Promise<NetScores[]> {
    const nets: RunnableNet[] = [];
    const arena = new ActivationArena();
    try {
      const source = await this.openSources(params[0], phase);
      for (const param of params) {
        const shared = { sources: source, arena };
        const net = await createNet(this.options.engine ?? 'auto', this.#options(param, phase, shared));
        nets.push(net);
        if (nets.length === 1) await this.#fill(net);
        else shareParameters(net, nets[0]);
      }
      const running = params.map(() => new RunningScores());
      const outputs = nets.map(outputsOf);
      for (let batch = 0; batch < iterations; batch++) {
        this.options.signal?.throwIfAborted();
        await source.forward();
        for (const [index, net] of nets.entries()) {
          await net.forward();
          const values = outputValues(net);
          const scores = { loss: Math.fround(net.loss), values };
          await this.finite.look(values, net, `batch ${batch}`);
          running[index].add(outputs[index], scores.loss, values);
          onBatch(index, batch, outputs[index], scores);
        }
      }
      return running.map((scores) => scores.finish());
    } finally {
      for (const net of nets) await net.close();
      arena.free();
    }
  }

  /**
   * Makes the part of a net that reads data, at its first record. The one made before is closed then, and not
   * earlier: as long as a source is open, decoded images may be kept for the next pass over them.
   */
  async openSources(param: NetParameter, phase: Phase): Promise<Net> {
    const sources = await this.#create(sourcesOnly(param), phase);
    await this.#closeSources();
    this.#sources = sources;
    return sources;
  }

  async close(): Promise<void> {
    await this.#closeSources();
    this.stream.close();
  }

  async #closeSources(): Promise<void> {
    const sources = this.#sources;
    this.#sources = null;
    if (!sources) return;
    this.#skipped += skippedRecords(sources);
    await sources.close();
  }

  async #fill(net: RunnableNet): Promise<void> {
    try {
      await net.copyTrainedLayers(this.options.weights, { allowMissing: this.options.allowMissing });
    } catch (error) {
      await net.close();
      throw error;
    }
  }

  #create(param: NetParameter, phase: Phase, more: Partial<NetOptions> = {}): Promise<Net> {
    return Net.create({ ...this.#options(param, phase), ...more });
  }

  #options(param: NetParameter, phase: Phase, more: Places = {}) {
    const { registry, seed, rounding, dataSource, skipBad, signal, level, stages } = this.options;
    return {
      param,
      registry,
      phase,
      seed,
      rounding,
      dataSource,
      skipBad,
      signal,
      level,
      stages,
      stream: this.stream,
      ...more,
    };
  }
}

/** The layers that read data: those without bottoms, but for learnable parameters. */
export function sourcesOnly(param: NetParameter): NetParameter {
  const sources = clone(param, { shareArrays: true });
  sources.layer = sources.layer.filter(
    ({ bottom, top, type }) => bottom.length === 0 && top.length > 0 && type !== 'Parameter',
  );
  return sources;
}

/** Records that the data layers of a net left out. */
function skippedRecords(net: Net): number {
  return net.layers.reduce((sum, { layer }) => sum + ((layer as { skipped?: number }).skipped ?? 0), 0);
}

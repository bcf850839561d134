import type { NativeGraph, NativeStream } from '../native/index.js';
import type { PartedRun } from './batch-parts.js';
import type { NetLayer } from './build.js';
import type { NetParam } from './params.js';
import type { Plan } from './plan.js';

/** Consecutive layers that are recorded together: once, or for each part of the batch that they run in. */
export class Stretch {
  readonly #graphs: NativeGraph[] = [];

  constructor(
    /** The layers as the net has them, omitted ones included. */
    readonly entries: readonly NetLayer[],
    readonly run: PartedRun | null,
  ) {}

  get parts(): number {
    return this.run?.parts ?? 1;
  }

  /** Drops what was recorded, and its hold on memory. */
  free(): void {
    for (const graph of this.#graphs) graph.free();
    this.#graphs.length = 0;
  }

  /** Enqueues one part of the stretch; `enqueue` does so op by op and is called the first time only. */
  launch(part: number, stream: NativeStream, enqueue: () => void): void {
    if (!this.#graphs[part]) {
      stream.beginCapture();
      try {
        enqueue();
      } finally {
        // What was recorded before an error is dropped with it.
        this.#graphs[part] = stream.endCapture();
      }
    }
    stream.launch(this.#graphs[part]);
  }
}

/**
 * The stretches of a pass that need not be enqueued layer by layer any more. They hold for one plan, and while
 * all that the recorded ops depend on stays: where blobs lie, and the versions of the parameters.
 */
export class RecordedPass {
  #stamps: number[] = [];
  #stretches: ReadonlyMap<number, Stretch> | null = null;

  /** Forgets everything: there is another plan. */
  reset(): void {
    this.#stamps = [];
    this.#forget();
  }

  #forget(): void {
    for (const stretch of this.#stretches?.values() ?? []) stretch.free();
    this.#stretches = null;
  }

  /**
   * Stretches by the index of their first layer, for a pass that is about to run `layers`; none where the last
   * such pass found other blobs or parameters than this one finds.
   */
  stretches(
    layers: readonly NetLayer[],
    params: readonly NetParam[],
    plan: Plan,
  ): ReadonlyMap<number, Stretch> {
    const stamps = stampsOf(layers, params, plan);
    if (stamps.length !== this.#stamps.length || stamps.some((stamp, i) => stamp !== this.#stamps[i])) {
      this.#stamps = stamps;
      this.#forget();
      return new Map();
    }
    return (this.#stretches ??= findStretches(layers, plan));
  }
}

/** All that recorded ops depend on; the layers' own settings stay, and shapes are part of a blob's placement. */
function stampsOf(layers: readonly NetLayer[], params: readonly NetParam[], { runs }: Plan): number[] {
  const stamps: number[] = [];
  for (const { bottom, top } of layers) {
    for (const blob of bottom) stamps.push(blob.placement);
    for (const blob of top) stamps.push(blob.placement);
  }
  // Windows on whole blobs turn from part to part; where these lie is among the stamps already.
  for (const { own } of runs.values()) for (const blob of own) stamps.push(blob.placement);
  for (const { blob } of params) stamps.push(blob.placement, blob.version, blob.owner.version);
  return stamps;
}

function findStretches(layers: readonly NetLayer[], { omitted, runs }: Plan): Map<number, Stretch> {
  const stretches = new Map<number, Stretch>();
  const repeats = ({ index, layer }: NetLayer) => omitted.has(index) || layer.repeats;
  let current: NetLayer[] = [];
  const finish = () => {
    if (current.some(({ index }) => !omitted.has(index)))
      stretches.set(current[0].index, new Stretch(current, null));
    current = [];
  };
  for (let i = 0; i < layers.length; i++) {
    const run = runs.get(layers[i].index);
    if (run) {
      finish();
      const entries = layers.slice(i, i + run.layers.length);
      if (entries.every(repeats)) stretches.set(entries[0].index, new Stretch(entries, run));
      i += entries.length - 1;
    } else if (repeats(layers[i])) current.push(layers[i]);
    else finish();
  }
  finish();
  return stretches;
}

import type { Blob } from '../blob/index.js';
import { create, has, type LayerParameter } from '../proto/index.js';
import { assignOffsets } from './arena.js';
import { findPartedRuns, type PartedRun } from './batch-parts.js';
import type { NetLayer } from './build.js';
import type { BackwardPass } from './layer.js';

/** How an inference pass runs: which layers fall away, and where the activations lie in one arena. */
export interface Plan {
  /** Layers whose work another one does, or that have none left, by index. */
  readonly omitted: ReadonlySet<number>;
  /** Byte offsets in the arena of the blobs that own their memory. */
  readonly offsets: ReadonlyMap<Blob, number>;
  /** Size of the arena in bytes. */
  readonly arenaBytes: number;
  /** Blobs that lie inside a Concat's top. */
  readonly slices: readonly Blob[];
  /** Layers that run the batch part by part, by the index of the first one. */
  readonly runs: ReadonlyMap<number, PartedRun>;
  /** Blobs that exist part by part only. */
  readonly replaced: ReadonlySet<Blob>;
}

/** A pass in which every layer runs, but for `omitted` ones, and every blob has memory of its own. */
export function plainPlan(omitted: ReadonlySet<number>): Plan {
  return {
    omitted,
    offsets: new Map(),
    arenaBytes: 0,
    slices: [],
    runs: new Map(),
    replaced: new Set(),
  };
}

function isPlainRelu({ relu_param: relu, type }: LayerParameter): boolean {
  return type === 'ReLU' && (relu?.negative_slope ?? 0) === 0;
}

/** ReLUs in place whose producer applies them itself. Asking binds the producer, so ask once per net. */
export function fuseRelus(layers: readonly NetLayer[]): Set<number> {
  const fused = new Set<number>();
  const writers = new Map<Blob, NetLayer>();
  for (const entry of layers) {
    const [blob] = entry.top;
    const writer = blob && writers.get(blob);
    if (
      writer &&
      isPlainRelu(entry.layer.param) &&
      entry.bottom[0] === blob &&
      writer.top.length === 1 &&
      writer.layer.fuseRelu()
    ) {
      fused.add(entry.index);
      // Still the producer's blob: a second ReLU behind this one falls away too.
      continue;
    }
    for (const top of entry.top) writers.set(top, entry);
  }
  return fused;
}

/**
 * Layers among `fused` whose backward pass the one reader of their blob computes with its own, also through a Concat
 * of such blobs. Asking binds the reader, so ask once per net.
 */
export function fuseReluGradients(
  layers: readonly NetLayer[],
  passes: readonly (BackwardPass | null)[],
  fused: ReadonlySet<number>,
): Set<number> {
  const taken = new Set<number>();
  const lastWriters = new Map<Blob, NetLayer>();
  /** The ReLUs that all of a blob's values went through; null where some did not. */
  const relusOf = (blob: Blob): number[] | null => {
    const writer = lastWriters.get(blob);
    if (!writer) return null;
    if (fused.has(writer.index)) return [writer.index];
    if (writer.type !== 'Concat') return null;
    const behind = writer.bottom.map(relusOf);
    return behind.every((relus) => relus !== null) ? behind.flat() : null;
  };
  for (const entry of layers) {
    const relus = passes[entry.index]?.propagateDown[0] ? relusOf(entry.bottom[0]) : null;
    if (relus && entry.layer.fuseReluGradient()) for (const index of relus) taken.add(index);
    for (const top of entry.top) lastWriters.set(top, entry);
  }
  return taken;
}

/** The axis along which a Concat layer joins blobs of `rank` axes. */
function concatAxis(param: LayerParameter, rank: number): number {
  const concat = param.concat_param ?? create('ConcatParameter');
  const axis = has(concat, 'concat_dim') ? concat.concat_dim : concat.axis;
  return axis < 0 ? axis + rank : axis;
}

/** Who touches each blob, and which blobs use each owner's memory. */
interface Uses {
  readers: Map<Blob, NetLayer[]>;
  writers: Map<Blob, NetLayer[]>;
  sharers: Map<Blob, Set<Blob>>;
}

function collectUses(layers: readonly NetLayer[], omitted: ReadonlySet<number>): Uses {
  const uses: Uses = { readers: new Map(), writers: new Map(), sharers: new Map() };
  const note = (map: Map<Blob, NetLayer[]>, blob: Blob, entry: NetLayer) => {
    const list = map.get(blob);
    if (list) list.push(entry);
    else map.set(blob, [entry]);
  };
  for (const entry of layers) {
    for (const blob of [...entry.bottom, ...entry.top]) {
      const group = uses.sharers.get(blob.owner);
      if (group) group.add(blob);
      else uses.sharers.set(blob.owner, new Set([blob]));
    }
    if (omitted.has(entry.index)) continue;
    for (const blob of entry.bottom) note(uses.readers, blob, entry);
    for (const blob of entry.top) note(uses.writers, blob, entry);
  }
  return uses;
}

/**
 * Lets the producers of a channel Concat's bottoms write straight into its top, where all of them and all other
 * readers can work on slices. Returns the slices and adds the Concats that have nothing left to do to `omitted`.
 * With `keepValues` a backward pass will read what the producers wrote.
 */
function concatInPlace(
  layers: readonly NetLayer[],
  plannable: (blob: Blob) => boolean,
  omitted: Set<number>,
  keepValues = false,
): Blob[] {
  const uses = collectUses(layers, omitted);
  const readBackward = new Set(
    keepValues ? layers.flatMap(({ layer, top }) => (layer.backwardReads.top ? top : [])) : [],
  );
  const slices: Blob[] = [];
  for (const entry of layers) {
    const { bottom, top, layer } = entry;
    if (entry.type !== 'Concat' || top.length !== 1 || top[0].shape.length !== 4) continue;
    const [whole] = top;
    if (concatAxis(layer.param, 4) !== 1 || whole.owner !== whole || bottom.length < 2) continue;
    const batched = whole.shape[0] > 1;
    // A layer in place behind the Concat would overwrite the slices too.
    const overwritten = [...uses.sharers.get(whole)!].some(
      (blob) => (uses.writers.get(blob)?.length ?? 0) > 1,
    );
    const canSlice = (blob: Blob): boolean =>
      plannable(blob) &&
      blob.owner === blob &&
      uses.sharers.get(blob)!.size === 1 &&
      (uses.writers.get(blob)?.length ?? 0) > 0 &&
      // A Concat that already lies in slices of its own stays where it is.
      !uses.writers.get(blob)!.some((writer) => writer.type === 'Concat') &&
      !(overwritten && readBackward.has(blob)) &&
      (!batched ||
        (uses.writers.get(blob)!.every((writer) => writer.layer.acceptsStridedTop) &&
          (uses.readers.get(blob) ?? []).every(
            (reader) => reader === entry || reader.layer.acceptsStridedBottom,
          )));
    if (new Set(bottom).size !== bottom.length || !bottom.every(canSlice)) continue;
    let offset = 0;
    for (const blob of bottom) {
      blob.shareData(whole, offset, batched ? whole.countFrom(1) : null);
      blob.shareDiff(whole, offset, batched ? whole.countFrom(1) : null);
      slices.push(blob);
      offset += blob.countFrom(1);
    }
    omitted.add(entry.index);
  }
  return slices;
}

/**
 * Lets the blobs that own their memory share it. A layer keeps what it touches alive from the first to the last
 * index that `span` gives for it.
 */
function shareMemory(
  layers: readonly NetLayer[],
  plannable: (blob: Blob) => boolean,
  span: (entry: NetLayer) => readonly [first: number, last: number],
): { offsets: Map<Blob, number>; bytes: number } {
  const lives = new Map<Blob, { first: number; last: number; free: boolean }>();
  for (const entry of layers) {
    const [first, last] = span(entry);
    for (const blob of [...entry.bottom, ...entry.top]) {
      const { owner } = blob;
      const life = lives.get(owner) ?? { first, last, free: plannable(owner) };
      life.last = Math.max(life.last, last);
      life.free &&= plannable(blob);
      lives.set(owner, life);
    }
  }
  const owners = [...lives.keys()].filter((owner) => lives.get(owner)!.free && owner.count > 0);
  const { offsets, bytes } = assignOffsets(
    owners.map((owner) => {
      const { first, last } = lives.get(owner)!;
      return { bytes: 4 * owner.count, first, last };
    }),
  );
  return { offsets: new Map(owners.map((owner, i) => [owner, offsets[i]])), bytes };
}

const ownIndex = ({ index }: NetLayer) => [index, index] as const;

/**
 * Plans an inference pass. `plannable` says whether a blob's memory may be reused once its last reader is done;
 * `fused` are the layers that `fuseRelus` found; `partBytes` bounds the parts that a batch is run in. Bottoms of
 * Concats may become slices and layers may be reshaped for parts: `undoPlan` and a reshape mend that.
 */
export function planNet(
  layers: readonly NetLayer[],
  plannable: (blob: Blob) => boolean,
  fused: ReadonlySet<number>,
  partBytes: number,
): Plan {
  const runs = findPartedRuns(layers, plannable, fused, partBytes);
  const runOf = new Map(runs.flatMap((run) => run.layers.map(({ index }) => [index, run] as const)));
  const replaced = new Set(runs.flatMap((run) => [...run.replaced]));
  const bridging = new Set(runs.flatMap(({ windows }) => windows.map(({ whole }) => whole.owner)));
  const omitted = new Set(fused);
  const slices = concatInPlace(
    layers.filter(({ index }) => !runOf.has(index)),
    (blob) => plannable(blob) && !bridging.has(blob.owner),
    omitted,
  );
  // What a run reads or writes of whole blobs must last from its first layer to its last: parts go round.
  const whole = shareMemory(
    layers,
    (blob) => plannable(blob) && !replaced.has(blob),
    (entry) => {
      const run = runOf.get(entry.index);
      return run ? [run.first, run.last] : ownIndex(entry);
    },
  );
  const offsets = new Map(whole.offsets);
  let arenaBytes = whole.bytes;
  // Runs follow each other, so their parts use the same memory, behind that of the whole blobs.
  for (const run of runs) {
    const own = (blob: Blob) => run.own.has(blob);
    slices.push(...concatInPlace(run.layers, own, omitted));
    const parts = shareMemory(run.layers, own, ownIndex);
    for (const [blob, offset] of parts.offsets) offsets.set(blob, whole.bytes + offset);
    arenaBytes = Math.max(arenaBytes, whole.bytes + parts.bytes);
  }
  return {
    omitted,
    offsets,
    arenaBytes,
    slices,
    runs: new Map(runs.map((run) => [run.first, run])),
    replaced,
  };
}

/**
 * Plans the forward pass of a net that computes gradients: all values stay for the backward pass, but Concats are
 * written in place where their inputs' producers can, and the diffs then lie the same way.
 */
export function planTraining(
  layers: readonly NetLayer[],
  plannable: (blob: Blob) => boolean,
  fused: ReadonlySet<number>,
): Plan {
  const omitted = new Set(fused);
  const slices = concatInPlace(layers, plannable, omitted, true);
  return { ...plainPlan(omitted), slices };
}

/** Gives the blobs of a plan memory of their own again. */
export function undoPlan({ slices, offsets }: Plan): void {
  for (const blob of slices) blob.unshare();
  for (const blob of offsets.keys()) blob.release();
}

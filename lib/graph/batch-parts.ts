import { Blob } from '../blob/index.js';
import type { NativeStream } from '../native/index.js';
import type { NetLayer } from './build.js';

/**
 * Bytes that the bottoms and tops of one layer may take in a part of a batch: about a cache of the third level.
 * What it saves is memory (SqueezeNet at batch 25: 30 MB of activations instead of 147). Much smaller parts make
 * layers so short that threads wait for each other.
 */
const DEFAULT_PART_BYTES = 32 * 2 ** 20;

/**
 * Bytes of a part that fits a cache of the processor. A GPU wants the whole batch at once: it hides memory's latency
 * behind the work of many threads.
 */
export function defaultPartBytes(stream: NativeStream, cached = DEFAULT_PART_BYTES): number {
  return stream.onDevice ? Infinity : cached;
}

/** A part of a batch in a blob that layers outside the run see whole. */
interface Window {
  readonly blob: Blob;
  readonly whole: Blob;
}

/** Layers in a row that run a batch part by part, each part through all of them. */
export interface PartedRun {
  /** Indices of the first and the last layer. */
  readonly first: number;
  readonly last: number;
  /** The layers on blobs that hold one part. */
  readonly layers: readonly NetLayer[];
  readonly windows: readonly Window[];
  readonly parts: number;
  /** Blobs of the net that never exist whole. */
  readonly replaced: ReadonlySet<Blob>;
  /** Blobs that stand in for them: their memory may be planned. */
  readonly own: ReadonlySet<Blob>;
}

const touched = ({ bottom, top }: NetLayer): Blob[] => [...bottom, ...top];

function mayRunInParts(entry: NetLayer, batch: number, omitted: ReadonlySet<number>): boolean {
  return (
    entry.bottom.length > 0 &&
    entry.lossWeights.every((weight) => weight === 0) &&
    (entry.layer.splitsBatch || omitted.has(entry.index)) &&
    touched(entry).every((blob) => blob.shape[0] === batch && blob.count > 0)
  );
}

/** The largest part, a divisor of the batch, that fits the cache at every layer. */
function partSize(layers: readonly NetLayer[], batch: number, partBytes: number): number {
  const imageBytes = Math.max(
    ...layers.map((entry) =>
      [...new Set(touched(entry))].reduce((sum, blob) => sum + 4 * blob.countFrom(1), 0),
    ),
  );
  let size = Math.max(1, Math.min(batch, Math.floor(partBytes / imageBytes)));
  while (batch % size) size--;
  return size;
}

function makeRun(
  run: readonly NetLayer[],
  batch: number,
  size: number,
  sharedBlobs: (run: readonly NetLayer[]) => Set<Blob>,
): PartedRun {
  const shared = sharedBlobs(run);
  const produced = new Set(run.flatMap(({ top }) => top));
  const stands = new Map<Blob, Blob>();
  const windows: Window[] = [];
  const replaced = new Set<Blob>();
  const own = new Set<Blob>();
  const standIn = (blob: Blob): Blob => {
    const known = stands.get(blob);
    if (known) return known;
    const part = new Blob(blob.name, [size, ...blob.shape.slice(1)]);
    stands.set(blob, part);
    const isShared = shared.has(blob.owner);
    if (!isShared) {
      replaced.add(blob);
      own.add(part);
    } else if (!(produced.has(blob) && blob.owner !== blob)) {
      // An alias made within the run (a Split's top) follows its source by itself, when its layer is reshaped.
      windows.push({ blob: part, whole: blob });
      part.shareData(blob);
    }
    return part;
  };
  const layers = run.map((entry) => ({
    ...entry,
    bottom: entry.bottom.map(standIn),
    top: entry.top.map(standIn),
  }));
  for (const { layer, bottom, top } of layers) layer.reshape(bottom, top);
  return {
    first: run[0].index,
    last: run[run.length - 1].index,
    layers,
    windows,
    parts: batch / size,
    replaced,
    own,
  };
}

/**
 * Finds the layers of a net that run a batch in parts and reshapes them for that. `plannable` says whether a
 * blob's memory may be reused; blobs for which it may not, or which other layers touch too, exist whole.
 */
export function findPartedRuns(
  layers: readonly NetLayer[],
  plannable: (blob: Blob) => boolean,
  omitted: ReadonlySet<number>,
  partBytes: number,
): PartedRun[] {
  const sharedBlobs = (run: readonly NetLayer[]): Set<Blob> => {
    const inside = new Set(run);
    const shared = new Set<Blob>();
    for (const entry of layers)
      for (const blob of touched(entry)) if (!inside.has(entry) || !plannable(blob)) shared.add(blob.owner);
    return shared;
  };
  const runs: PartedRun[] = [];
  let current: NetLayer[] = [];
  const finish = () => {
    const run = current;
    current = [];
    if (run.filter(({ index }) => !omitted.has(index)).length < 2) return;
    const batch = run[0].bottom[0].shape[0];
    const size = partSize(run, batch, partBytes);
    if (size < batch) runs.push(makeRun(run, batch, size, sharedBlobs));
  };
  for (const entry of layers) {
    if (current.length && !mayRunInParts(entry, current[0].bottom[0].shape[0], omitted)) finish();
    const batch = entry.bottom[0]?.shape[0] ?? 0;
    if (current.length || (batch > 1 && mayRunInParts(entry, batch, omitted))) current.push(entry);
  }
  finish();
  return runs;
}

/** Turns the windows of a run to one part of the batch. */
export function turnTo({ windows }: PartedRun, part: number): void {
  for (const { blob, whole } of windows) blob.shareData(whole, part * blob.count);
}

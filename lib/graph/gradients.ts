import type { Blob } from '../blob/index.js';
import { assignOffsets } from './arena.js';
import type { NetLayer } from './build.js';
import type { BackwardPass } from './layer.js';
import type { NetParam } from './params.js';

/**
 * Which gradients a net computes: for each layer its part in the backward pass, or null where it has none. A
 * gradient is computed where it leads from the loss to a parameter that learns (`lr_mult` is not 0), or to any
 * input with `everywhere` (force_backward); `propagate_down: false` cuts the way there. As in the original, whose
 * nets give the same answer.
 */
export function planGradients(
  layers: readonly NetLayer[],
  params: readonly NetParam[],
  everywhere: boolean,
): (BackwardPass | null)[] {
  const paramWanted = new Map(layers.map(({ layer }) => [layer, layer.blobs.map(() => false)]));
  for (const { layer, index, lrMult } of params)
    paramWanted.get(layer)![index] = everywhere ? !layer.learnable[index].statistic : lrMult !== 0;
  const wanted = findWantedBottoms(layers, paramWanted, everywhere);
  // Against the layers' order: which tops have a diff once the layers behind have run.
  const hasDiff = new Set<Blob>();
  const passes: (BackwardPass | null)[] = layers.map(() => null);
  for (let i = layers.length - 1; i >= 0; i--) {
    const { layer, bottom, top, lossWeights } = layers[i];
    const topHasDiff = top.map((blob, t) => lossWeights[t] !== 0 || hasDiff.has(blob));
    for (const blob of top) hasDiff.delete(blob);
    const leads = wanted[i].includes(true) || paramWanted.get(layer)!.includes(true);
    if (!leads || !topHasDiff.includes(true)) continue;
    passes[i] = { bottom, top, propagateDown: wanted[i], topHasDiff, paramWanted: paramWanted.get(layer)! };
    for (const [b, blob] of bottom.entries()) if (wanted[i][b]) hasDiff.add(blob);
  }
  return passes;
}

/** For each layer and bottom: whether something that learns lies behind it. */
function findWantedBottoms(
  layers: readonly NetLayer[],
  paramWanted: ReadonlyMap<NetLayer['layer'], readonly boolean[]>,
  everywhere: boolean,
): boolean[][] {
  const learns = new Set<Blob>();
  return layers.map(({ layer, bottom, top }) => {
    const wanted = bottom.map(
      (blob, i) =>
        (learns.has(blob) || (everywhere && layer.takesDiff(i))) && layer.param.propagate_down[i] !== false,
    );
    const leads = wanted.includes(true) || paramWanted.get(layer)!.includes(true);
    for (const blob of top)
      if (leads) learns.add(blob);
      else learns.delete(blob);
    return wanted;
  });
}

/** Where the diffs of a backward pass lie. */
export interface DiffPlan {
  /** Blobs whose diffs have memory of their own, parameters among them. */
  own: ReadonlySet<Blob>;
  /** Byte offsets of the other diffs, which share one piece of memory. */
  offsets: ReadonlyMap<Blob, number>;
  /** Size of that piece. */
  bytes: number;
}

export const noDiffs: DiffPlan = { own: new Set(), offsets: new Map(), bytes: 0 };

/**
 * Lets diffs share memory: one is needed from the layer that computes it to the one that made its blob. Diffs of
 * parameters stay, so do those of losses, which hold the loss's weight, and with `keepAll` all of them.
 */
export function planDiffs(
  layers: readonly NetLayer[],
  passes: readonly (BackwardPass | null)[],
  keepAll: boolean,
): DiffPlan {
  const own = new Set<Blob>();
  const lives = new Map<Blob, { first: number; last: number }>();
  for (const [index, pass] of passes.entries()) {
    if (!pass) continue;
    const { bottom, top, propagateDown, topHasDiff, paramWanted } = pass;
    const { layer, lossWeights } = layers[index];
    for (const [i, blob] of layer.blobs.entries()) if (paramWanted[i]) own.add(blob.diffOwner);
    for (const [i, blob] of top.entries()) if (lossWeights[i] || keepAll) own.add(blob.diffOwner);
    const touched = [...bottom.filter((_, i) => propagateDown[i]), ...top.filter((_, i) => topHasDiff[i])];
    for (const { diffOwner } of touched) {
      if (keepAll) own.add(diffOwner);
      const life = lives.get(diffOwner);
      if (life) life.last = index;
      else lives.set(diffOwner, { first: index, last: index });
    }
  }
  const shared = [...lives.keys()].filter((blob) => !own.has(blob) && blob.count > 0);
  const { offsets, bytes } = assignOffsets(
    shared.map((blob) => ({ bytes: 4 * blob.count, ...lives.get(blob)! })),
  );
  return { own, offsets: new Map(shared.map((blob, i) => [blob, offsets[i]])), bytes };
}

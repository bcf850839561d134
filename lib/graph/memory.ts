import { totalmem } from 'node:os';
import type { Blob } from '../blob/index.js';
import { NetError } from '../errors/index.js';
import { bytesText } from '../util/bytes-text.js';
import type { NetLayer } from './build.js';
import type { DiffPlan } from './gradients.js';
import type { NetParam } from './params.js';
import type { Plan } from './plan.js';

/** Bytes of a net's blobs by kind; kernels' packed weights and data layers' queues are not in it. */
export interface NetMemory {
  /** Learnable parameters, shared ones once. */
  parameters: number;
  /** Tops of the layers without bottoms. */
  inputs: number;
  /** Blobs that stay readable, and those that cannot share memory. */
  kept: number;
  /** The arena that the other activations share. */
  activations: number;
  /** Diffs of parameters and of all other blobs, where the net computes gradients. */
  gradients: number;
  total: number;
  /** What inputs, kept blobs, activations and gradients would take without sharing. */
  unshared: number;
  /** The largest blob and the layer that makes it; blobs that exist part by part only do not count. */
  largest: { blob: string; layer: string; shape: readonly number[]; bytes: number } | null;
}

export function measureMemory(
  layers: readonly NetLayer[],
  params: readonly NetParam[],
  own: ReadonlySet<Blob>,
  plan: Plan,
  diffs: DiffPlan,
): NetMemory {
  const memory: NetMemory = {
    parameters: 0,
    inputs: 0,
    kept: 0,
    activations: plan.arenaBytes,
    gradients: diffs.bytes,
    total: 0,
    unshared: 0,
    largest: null,
  };
  const note = (blob: Blob, layer: string): number => {
    const bytes = 4 * blob.count;
    if (!memory.largest || bytes > memory.largest.bytes)
      memory.largest = { blob: blob.name, layer, shape: blob.shape, bytes };
    return bytes;
  };
  for (const { blob, layer, owner } of params) if (!owner) memory.parameters += note(blob, layer.name);
  const slices = new Set(plan.slices);
  const seen = new Set<Blob>();
  for (const { bottom, top, name } of layers)
    for (const blob of top) {
      const isSlice = slices.has(blob);
      if (seen.has(blob) || !own.has(blob) || (blob.owner !== blob && !isSlice)) continue;
      seen.add(blob);
      memory.unshared += 4 * blob.count;
      if (isSlice || plan.replaced.has(blob)) continue;
      const bytes = note(blob, name);
      if (plan.offsets.has(blob)) continue;
      memory[bottom.length ? 'kept' : 'inputs'] += bytes;
    }
  for (const blob of diffs.own) memory.gradients += 4 * blob.count;
  for (const blob of [...diffs.own, ...diffs.offsets.keys()]) memory.unshared += 4 * blob.count;
  memory.total = memory.parameters + memory.inputs + memory.kept + memory.activations + memory.gradients;
  return memory;
}

/** What this process may use: the machine's memory, or less where a container says so. */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

/** Refuses a net that could never run here, before any of its memory is taken. */
export function checkMemory({ total, largest }: NetMemory, limit: number): void {
  if (total <= limit || !largest) return;
  throw new NetError(
    `the net needs ${bytesText(total)} of memory, more than the ${bytesText(limit)} there are; ` +
      `its largest blob is '${largest.blob}' of shape (${largest.shape.join(', ')}): ${bytesText(largest.bytes)}`,
    { layer: largest.layer },
  );
}

import type { Blob } from '../blob/index.js';
import type { Net, NetMemory } from '../graph/index.js';
import type { Lowering } from './lower.js';

/** The float blobs that a pass takes memory for, with the layer that writes each. */
function floatBlobs({ steps }: Lowering): Map<Blob, string> {
  const blobs = new Map<Blob, string>();
  for (const step of steps) {
    const { entry } = step;
    const touched: Blob[] = [];
    if (step.kind === 'float') touched.push(...entry.bottom, ...entry.top);
    else if (step.kind === 'quantise') touched.push(step.src.blob);
    else if (step.kind === 'dequantise' || step.kind === 'averagePooling') touched.push(step.dst.blob);
    for (const { owner } of touched) if (!blobs.has(owner)) blobs.set(owner, entry.name);
  }
  return blobs;
}

/** Bytes of a lowered net by kind: `activations` are the codes, `kept` the float blobs between and behind them. */
export function measureUse(net: Net, lowering: Lowering, arenaBytes: number): NetMemory {
  const { parameters, inputs } = net.memory;
  const sources = new Set([...net.sourceTops.values()].map(({ owner }) => owner));
  const codes = lowering.memories.reduce((sum, memory) => sum + memory.imageBytes * memory.shape.images, 0);
  let largest: NetMemory['largest'] = null;
  let kept = 0;
  for (const [blob, layer] of floatBlobs(lowering)) {
    if (sources.has(blob)) continue;
    const bytes = 4 * blob.count;
    kept += bytes;
    if (!largest || bytes > largest.bytes) largest = { blob: blob.name, layer, shape: blob.shape, bytes };
  }
  for (const memory of lowering.memories) {
    const { images, channels, height, width } = memory.shape;
    const bytes = memory.imageBytes * images;
    const layer = lowering.steps[memory.first].entry.name;
    if (!largest || bytes > largest.bytes)
      largest = { blob: memory.name, layer, shape: [images, channels, height, width], bytes };
  }
  return {
    parameters,
    inputs,
    kept,
    activations: arenaBytes,
    gradients: 0,
    total: parameters + inputs + kept + arenaBytes,
    unshared: inputs + kept + codes,
    largest,
  };
}

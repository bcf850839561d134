import type { Net } from '../graph/index.js';
import type { OutputValue } from './events.js';

/** All elements of a net's outputs, in the original's order. */
export function outputValues(net: Net): OutputValue[] {
  const weights = new Map<string, number>();
  for (const { top, lossWeights } of net.layers)
    for (const [i, weight] of lossWeights.entries()) weights.set(top[i].name, weight);
  return net.outputs.flatMap((blob) =>
    Array.from(blob.toArray(), (value) => ({
      name: blob.name,
      value,
      lossWeight: weights.get(blob.name) ?? 0,
    })),
  );
}

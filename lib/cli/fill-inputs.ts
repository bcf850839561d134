import type { Net } from '../graph/index.js';

/** Gives the tops of Input layers that have no values yet some: pixels less their mean, as it were. */
export function fillInputs(net: Net): void {
  for (const { type, top } of net.layers)
    if (type === 'Input')
      for (const blob of top)
        if (blob.version === 0)
          blob.set(Float32Array.from({ length: blob.count }, (_, i) => ((i * 7919) % 509) / 2 - 127));
}

import type { Blob } from '../blob/index.js';
import type { NetLayer } from './build.js';
import type { Net } from './net.js';

/** A net of which it is asked where its numbers ceased to be finite. */
interface Asked {
  readonly layers: readonly NetLayer[];
  readonly sourceTops: ReadonlyMap<string, Blob>;
}

/** 'a NaN' or 'an infinity', and where in a blob; null where all numbers are finite. */
function find(blob: Blob): { what: string; image: number | null } | null {
  const values = blob.toArray();
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return null;
  return {
    what: Number.isNaN(values[at]) ? 'a NaN' : 'an infinity',
    image: blob.shape.length > 1 ? Math.floor(at / blob.countFrom(1)) : null,
  };
}

const place = (image: number | null) => (image === null ? '' : ` (image ${image} of the batch, from 0)`);

/**
 * Says where the first number of a net's last pass that is not finite came from: an input, a layer's parameters, a
 * layer. Null where none is found. `twin` is a net of the same layers on the same inputs: it gets the parameters'
 * values and runs once, so that the net that is asked about stays as it is.
 */
export async function traceNonFinite(net: Asked, twin: Net): Promise<string | null> {
  for (const [name, blob] of net.sourceTops) {
    const found = find(blob);
    if (found) return `input '${name}' holds ${found.what}${place(found.image)}`;
  }
  const copies = new Map(twin.layers.map((entry) => [entry.name, entry.layer.blobs]));
  for (const { name, layer } of net.layers)
    for (const [i, blob] of layer.blobs.entries()) {
      const found = find(blob);
      if (found) return `parameter ${i} of layer '${name}' holds ${found.what}`;
      copies.get(name)?.[i].set(blob.toArray());
    }
  let first: string | null = null;
  await twin.forward({
    async observe({ name, type }, _bottom, top, stream) {
      if (first !== null) return;
      await stream.sync();
      for (const blob of top) {
        const found = find(blob);
        if (!found) continue;
        first = `layer '${name}' (${type}) is the first to give ${found.what}, in blob '${blob.name}'${place(found.image)}`;
        return;
      }
    },
  });
  return first;
}

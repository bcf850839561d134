import type { Blob } from '../blob/index.js';
import type { Layer, Net, NetLayer, Observer } from '../graph/index.js';
import type { NativeStream } from '../native/index.js';
import { quantisableType, type QuantisableType } from './edit-net.js';

/** A layer that the search looks at, with the blobs whose values count. */
export interface ObservedLayer {
  layer: string;
  type: QuantisableType;
  entry: NetLayer;
  input: Blob;
  output: Blob;
}

export type ObservedPart = 'input' | 'output';

/** Looks at one blob, whose values are final by the work enqueued so far. */
export type Observe = (
  layer: ObservedLayer,
  part: ObservedPart,
  blob: Blob,
  stream: NativeStream,
) => void | Promise<void>;

/** The layers of a net that can be quantised. */
export function observedLayers(net: Net): ObservedLayer[] {
  return net.layers.flatMap((entry) => {
    const type = quantisableType(entry.layer.param);
    return type ? [{ layer: entry.name, type, entry, input: entry.bottom[0], output: entry.top[0] }] : [];
  });
}

/**
 * An observer of a pass that looks at the input and output of every layer that can be quantised, as they are
 * when the whole pass is over: a ReLU in place behind a layer has acted. It looks as soon as nothing writes to
 * the blob any more, because its memory may serve another blob later in the pass.
 */
export function observerOf(net: Net, layers: readonly ObservedLayer[], observe: Observe): Observer {
  const lastWriter = new Map<Blob, number>();
  for (const { index, top } of net.layers) for (const blob of top) lastWriter.set(blob, index);
  const due = new Map<Layer, (() => void | Promise<void>)[]>();
  const at = (index: number, action: () => void | Promise<void>) => {
    const { layer } = net.layers[index];
    due.set(layer, [...(due.get(layer) ?? []), action]);
  };
  for (const observed of layers)
    for (const part of ['input', 'output'] as const) {
      const blob = observed[part];
      // A blob that another net makes has no writer here: it is whole before the pass.
      const index = lastWriter.get(blob) ?? observed.entry.index;
      at(index, () => observe(observed, part, blob, net.stream));
    }
  return async (layer) => {
    for (const action of due.get(layer) ?? []) await action();
  };
}

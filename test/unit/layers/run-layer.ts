// Runs one layer on given numbers, as a net would: setup, reshape, forward, sync.
import { Blob, countOf } from '../../../lib/blob/index.js';
import type { Layer, LayerContext } from '../../../lib/graph/index.js';
import { layers } from '../../../lib/layers/index.js';
import { Stream } from '../../../lib/native/index.js';
import { parseText, Phase } from '../../../lib/proto/index.js';

export interface Given {
  shape: readonly number[];
  /** Numbers, or a function of the index; zeros where unset. */
  values?: ArrayLike<number> | ((index: number) => number);
}

export function blobOf(name: string, { shape, values }: Given): Blob {
  const blob = new Blob(name, shape);
  if (typeof values === 'function') blob.set(Array.from({ length: countOf(shape) }, (_, i) => values(i)));
  else if (values) blob.set(values);
  return blob;
}

/** A layer of `type` with the fields of `text`, set up on bottoms b0, b1, … with tops t0, t1, … */
export async function makeLayer(
  type: string,
  text: string,
  bottoms: readonly Given[],
  options: Partial<LayerContext> & { tops?: number } = {},
): Promise<{ layer: Layer; bottom: Blob[]; top: Blob[] }> {
  const { tops = 1, ...context } = options;
  const param = parseText('NetParameter', `layer { name: "it" type: "${type}" ${text} }`).layer[0];
  const layer = layers[type](param, { phase: Phase.TEST, seed: 1, ...context });
  const bottom = bottoms.map((given, i) => blobOf(`b${i}`, given));
  const top = Array.from({ length: tops }, (_, i) => new Blob(`t${i}`));
  await layer.setup(bottom, top);
  layer.reshape(bottom, top);
  return { layer, bottom, top };
}

/** Forward once, on a stream of its own where none is given. */
export async function forward(
  { layer, bottom, top }: { layer: Layer; bottom: Blob[]; top: Blob[] },
  stream = new Stream({ threads: 1 }),
): Promise<number[][]> {
  await layer.forward(bottom, top, stream);
  await stream.sync();
  return top.map((blob) => [...blob.toArray()]);
}

/** The values of the tops of a layer made and run once. */
export async function run(...args: Parameters<typeof makeLayer>): Promise<number[][]> {
  return forward(await makeLayer(...args));
}

import { NetError } from '../errors/index.js';
import type { LayerParameter } from '../proto/index.js';
import { nearest } from '../util/nearest.js';
import { someOf } from '../util/some-of.js';

const MAX_LISTED = 40;

/** Names for a message: sorted, quoted, at most a screenful. */
export function listNames(names: Iterable<string>): string {
  const sorted = [...new Set(names)].sort();
  if (sorted.length === 0) return 'none';
  return someOf(
    sorted.map((name) => `'${name}'`),
    MAX_LISTED,
  );
}

/** ", did you mean 'x'?" where a known name is close; else nothing. */
export function suggestion(name: string, known: Iterable<string>): string {
  const close = nearest(name, known);
  return close === null ? '' : `; did you mean '${close}'?`;
}

/** Why a bottom that no earlier layer makes cannot be had: a cycle, an order, or a name that nobody makes. */
function failBottom(
  layers: readonly LayerParameter[],
  at: number,
  blob: string,
  known: ReadonlyMap<string, number>,
): never {
  const layer = layers[at];
  const field = `bottom '${blob}'`;
  const producer = layers.findIndex((other, i) => i >= at && other.top.includes(blob));
  if (producer < 0)
    throw new NetError(
      `no layer produces it; the blobs known here are ${listNames(known.keys())}${suggestion(blob, known.keys())}`,
      { layer: layer.name, field },
    );
  // Follow the producer's bottoms backwards: a way back to this layer is a cycle.
  const makers = new Map<string, number>();
  for (const [i, other] of layers.entries())
    for (const top of other.top) if (!makers.has(top)) makers.set(top, i);
  const from = new Map<number, number>([[producer, -1]]);
  for (const current of from.keys()) {
    if (current === at) break;
    for (const bottom of layers[current].bottom) {
      const maker = makers.get(bottom);
      if (maker !== undefined && !from.has(maker)) from.set(maker, current);
    }
  }
  if (!from.has(at))
    throw new NetError(
      `only a later layer, '${layers[producer].name}', produces it; layers run in the order of the file: move that one up`,
      { layer: layer.name, field },
    );
  const path: string[] = [];
  for (let step = at; step >= 0; step = from.get(step)!) path.push(`'${layers[step].name}'`);
  throw new NetError(
    `the net has a cycle: ${path.join(' -> ')}${path.length > 1 ? ` -> '${layer.name}'` : ' reads its own output'}`,
    { layer: layer.name, field },
  );
}

/**
 * Checks how the layers of a filtered net hang together, before splits are inserted: every bottom comes from an
 * earlier layer, no blob has two producers, a layer in place is the only reader of what it overwrites.
 */
export function checkWiring(layers: readonly LayerParameter[]): void {
  const producers = new Map<string, number>();
  const readers = new Map<string, string[]>();
  for (const [index, layer] of layers.entries()) {
    const fail = (message: string, field: string): never => {
      throw new NetError(message, { layer: layer.name, field });
    };
    for (const blob of layer.bottom) {
      if (!producers.has(blob)) failBottom(layers, index, blob, producers);
      readers.get(blob)!.push(layer.name);
    }
    if (layer.propagate_down.length && layer.propagate_down.length !== layer.bottom.length)
      fail(
        `is given ${layer.propagate_down.length} times for ${layer.bottom.length} bottoms`,
        'propagate_down',
      );
    if (layer.loss_weight.length && layer.loss_weight.length !== layer.top.length)
      fail(`is given ${layer.loss_weight.length} times for ${layer.top.length} tops`, 'loss_weight');
    const own = new Set<string>();
    for (const [i, blob] of layer.top.entries()) {
      const field = `top '${blob}'`;
      if (own.has(blob)) fail('is named twice', field);
      own.add(blob);
      const earlier = producers.get(blob);
      if (earlier !== undefined) {
        if (layer.bottom[i] !== blob)
          fail(
            `layer '${layers[earlier].name}' produces it already; only a layer in place (the same name as bottom and top, at the same position) may write it again`,
            field,
          );
        const others = readers.get(blob)!.filter((name) => name !== layer.name);
        if (others.length || readers.get(blob)!.length > 1)
          fail(
            `the layer works in place, but ${others.length ? `layer '${others[0]}'` : 'another of its bottoms'} reads the blob too: give the top a name of its own`,
            field,
          );
      }
      producers.set(blob, index);
      readers.set(blob, []);
    }
  }
}

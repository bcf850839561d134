import { NetError } from '../errors/index.js';
import type { LayerParameter } from '../proto/index.js';
import type { BlobCount, Layer, LayerContext, LayerRegistry } from './layer.js';
import { suggestion } from './wiring.js';

/** Makes a layer by its type's name; an unknown one is answered with those there are. */
export function createLayer(registry: LayerRegistry, param: LayerParameter, context: LayerContext): Layer {
  const { name, type } = param;
  if (!Object.hasOwn(registry, type)) {
    const known = Object.keys(registry).sort();
    throw new NetError(
      (type ? `unknown layer type '${type}'${suggestion(type, known)}` : 'has no type') +
        `; known types are ${known.join(', ')}`,
      { layer: name, field: 'type' },
    );
  }
  return registry[type](param, context);
}

function checkCount(
  layer: Layer,
  what: 'bottom' | 'top',
  { exact, min, max }: BlobCount,
  count: number,
): void {
  const ask = (text: string, wanted: number) =>
    layer.fail(`takes ${text} ${what}${wanted === 1 ? '' : 's'}, not ${count}`, what);
  if (exact !== undefined && count !== exact) ask(`exactly ${exact}`, exact);
  if (min !== undefined && count < min) ask(`at least ${min}`, min);
  if (max !== undefined && count > max) ask(`at most ${max}`, max);
}

/** Checks a layer's numbers of bottoms and tops against what its type takes. */
export function checkLayerCounts(layer: Layer, bottoms: number, tops: number): void {
  checkCount(layer, 'bottom', layer.bottoms, bottoms);
  checkCount(layer, 'top', layer.tops, tops);
}

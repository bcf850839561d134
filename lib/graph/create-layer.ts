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
  return checkContract(registry[type](param, context), param);
}

/** A layer of one's own, written without types, may lack what every layer needs. */
function checkContract(layer: Layer, { name, type }: LayerParameter): Layer {
  const methods = ['setup', 'reshape', 'forward', 'backward', 'close'] as const;
  const missing = methods.find((method) => typeof layer?.[method] !== 'function');
  if (missing)
    throw new NetError(`the registry's layer has no method '${missing}': it must extend Layer and have one`, {
      layer: name,
      field: `type '${type}'`,
    });
  return layer;
}

function checkCount(
  layer: Layer,
  what: 'bottom' | 'top',
  { exact, min, max }: BlobCount = {},
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

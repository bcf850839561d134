import { Blob } from '../blob/index.js';
import { NetError } from '../errors/index.js';
import { describeType, positionOf, type LayerParameter, type NetParameter } from '../proto/index.js';
import { filterNet, type NetStateValues } from './filter-net.js';
import type { BlobCount, Layer, LayerContext, LayerRegistry } from './layer.js';

/** Distinct types that one error tells. */
const MAX_LISTED = 40;

/** Refuses layers of types that the registry does not have, all of them in one error, each type once. */
export function checkTypes(layers: readonly LayerParameter[], registry: LayerRegistry): void {
  const known = Object.keys(registry).sort();
  const unknown = new Map<string, { what: string; layers: LayerParameter[] }>();
  for (const layer of layers) {
    if (Object.hasOwn(registry, layer.type)) continue;
    const entry = unknown.get(layer.type);
    if (entry) entry.layers.push(layer);
    else unknown.set(layer.type, { what: describeType(layer.type, known)!, layers: [layer] });
  }
  if (unknown.size === 0) return;
  const entries = [...unknown.values()];
  const texts = entries.map(({ what, layers: [first, ...others] }, index) => {
    const { file, line } = positionOf(first) ?? {};
    const place = file && index > 0 ? `${file}:${line}: ` : '';
    // The first one's place and layer are the error's own.
    const head = index > 0 ? `${place}layer '${first.name}': ${what}` : what.replace(/^type: /, '');
    const rest = others.map((other) => `'${other.name}'${lineText(positionOf(other)?.line)}`);
    const shown = rest.slice(0, 10).join(', ') + (rest.length > 10 ? ` and ${rest.length - 10} more` : '');
    return head + (rest.length > 0 ? ` (so is layer ${shown})` : '');
  });
  const shown = texts.slice(0, MAX_LISTED);
  if (texts.length > MAX_LISTED) shown.push(`and ${texts.length - MAX_LISTED} more`);
  // Where a fork or Caffe itself has all of them, the names of what is here help nobody.
  if (entries.some(({ what }) => /unknown layer type '[^']*'($|; did)|has no type/.test(what)))
    shown.push(`known types are ${known.join(', ')}`);
  const [first] = entries[0].layers;
  throw new NetError(shown.join('; '), { ...positionOf(first), layer: first.name, field: 'type' });
}

/** A net and a state that it will be run in. */
export interface NetInState extends NetStateValues {
  param: NetParameter;
}

/** As `checkTypes`, for all states that work needs, before the first net of it is made. */
export function checkTypesOfStates(nets: readonly NetInState[], registry: LayerRegistry): void {
  const layers = new Map<string | LayerParameter, LayerParameter>();
  for (const { param, ...state } of nets)
    for (const layer of filterNet(param, state).layer) {
      const position = positionOf(layer);
      // One layer of a file may be in several states, of messages of their own.
      layers.set(position ? `${position.file}:${position.line}:${layer.name}` : layer, layer);
    }
  checkTypes([...layers.values()], registry);
}

function lineText(line: number | undefined): string {
  return line === undefined ? '' : ` in line ${line}`;
}

/** Makes a layer by its type's name, which the registry has. */
export function createLayer(registry: LayerRegistry, param: LayerParameter, context: LayerContext): Layer {
  const make: unknown = registry[param.type];
  if (typeof make !== 'function')
    throw new NetError('the registry has no function there: (param, context) => the layer', {
      layer: param.name,
      field: `type '${param.type}'`,
    });
  return checkContract(registry[param.type](param, context), param);
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
  if (!layer.param || !layer.context)
    throw new NetError("the layer's constructor must call super(param, context) with what it is given", {
      layer: name,
      field: `type '${type}'`,
    });
  return layer;
}

/** As `checkContract`, for what `setup` makes. */
export function checkLearnable(layer: Layer): void {
  const { learnable } = layer;
  if (!Array.isArray(learnable) || !learnable.every((entry) => entry?.blob instanceof Blob))
    layer.fail('`learnable` must be a list of { blob, filler }, blob being a Blob');
}

function checkCount(layer: Layer, what: 'bottom' | 'top', takes: BlobCount | undefined, count: number): void {
  if (takes === undefined) return;
  const numbers = takes && [takes.exact, takes.min, takes.max];
  if (typeof takes !== 'object' || !numbers?.every((n) => n === undefined || Number.isInteger(n)))
    layer.fail(`\`${what}s\` must be { exact } or { min, max }, whole numbers, or left out`);
  const { exact, min, max } = takes;
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

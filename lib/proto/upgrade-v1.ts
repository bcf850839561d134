import { FormatError } from '../errors/index.js';
import {
  V1LayerParameter_LayerType as V1Type,
  type NetParameter,
  type V1LayerParameter,
  type LayerParameter,
} from './caffe.js';
import { clear, create, descriptorOf, enumName, has, type AnyMessage } from './message.js';
import { typeOfV1 } from './layer-types.js';
import { positionOf, setPosition } from './position.js';
import type { UpgradeOptions } from './upgrade.js';

/** Old lists of one value per learnable blob, and the field of `param` that holds the value today. */
const paramFields = [
  ['param', 'name'],
  ['blob_share_mode', 'share_mode'],
  ['blobs_lr', 'lr_mult'],
  ['weight_decay', 'decay_mult'],
] as const;

const special = new Set<string>(['type', 'layer', ...paramFields.map(([list]) => list)]);

function upgradeLayer(old: V1LayerParameter, options: UpgradeOptions): LayerParameter {
  const result = create('LayerParameter');
  setPosition(result, positionOf(old));
  const [from, to] = [old, result] as unknown as [AnyMessage, AnyMessage];
  // All other fields have the same name and the same type in both.
  for (const { name } of descriptorOf('V1LayerParameter').fields) {
    if (!special.has(name) && has(from, name)) to[name] = from[name];
  }
  if (has(old, 'type')) result.type = typeOfV1(enumName(V1Type, old.type));
  for (const [list, field] of paramFields) {
    for (const [index, value] of old[list].entries()) {
      while (result.param.length <= index) result.param.push(create('ParamSpec'));
      (result.param[index] as unknown as AnyMessage)[field] = value;
    }
  }
  if (old.layer) options.onWarning?.(`layer '${old.name}': a layer of the oldest format inside it, ignored`);
  return result;
}

/** Data layers once held their transformation themselves; moves it into transform_param, in place. */
export function upgradeDataTransformation(net: NetParameter): boolean {
  const holders = new Map<number, 'data_param' | 'image_data_param' | 'window_data_param'>([
    [V1Type.DATA, 'data_param'],
    [V1Type.IMAGE_DATA, 'image_data_param'],
    [V1Type.WINDOW_DATA, 'window_data_param'],
  ]);
  let moved = false;
  for (const layer of net.layers) {
    const holder = holders.get(layer.type);
    const param = holder && layer[holder];
    if (!param) continue;
    for (const field of ['scale', 'mean_file', 'crop_size', 'mirror'] as const) {
      if (!has(param, field)) continue;
      const transform = (layer.transform_param ??= create('TransformationParameter'));
      (transform as unknown as AnyMessage)[field] = param[field];
      clear(param, field);
      moved = true;
    }
  }
  return moved;
}

/** Turns a net of the second kind, `layers { type: CONVOLUTION … }`, into one of today, in place. */
export function upgradeV1Net(net: NetParameter, options: UpgradeOptions): void {
  if (net.layer.length > 0) {
    throw new FormatError("the net has both 'layer' and 'layers' entries; write all of them as 'layer'", {
      file: options.file,
    });
  }
  net.layer = net.layers.map((layer) => upgradeLayer(layer, options));
  clear(net, 'layers');
}

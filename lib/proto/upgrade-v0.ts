import { FormatError } from '../errors/index.js';
import { nearest } from '../util/nearest.js';
import {
  V1LayerParameter_LayerType as V1Type,
  type NetParameter,
  type V0LayerParameter,
  type V1LayerParameter,
} from './caffe.js';
import { create, descriptorOf, has, type AnyMessage, type MessageName } from './message.js';
import { v1OfType } from './layer-types.js';
import { positionOf, setPosition } from './position.js';
import type { UpgradeOptions } from './upgrade.js';

/** Layer types of the oldest nets, by their names of then. */
const layerTypes: Readonly<Record<string, keyof typeof V1Type>> = {
  accuracy: 'ACCURACY',
  bnll: 'BNLL',
  concat: 'CONCAT',
  conv: 'CONVOLUTION',
  data: 'DATA',
  dropout: 'DROPOUT',
  euclidean_loss: 'EUCLIDEAN_LOSS',
  flatten: 'FLATTEN',
  hdf5_data: 'HDF5_DATA',
  hdf5_output: 'HDF5_OUTPUT',
  im2col: 'IM2COL',
  images: 'IMAGE_DATA',
  infogain_loss: 'INFOGAIN_LOSS',
  innerproduct: 'INNER_PRODUCT',
  lrn: 'LRN',
  multinomial_logistic_loss: 'MULTINOMIAL_LOGISTIC_LOSS',
  pool: 'POOLING',
  relu: 'RELU',
  sigmoid: 'SIGMOID',
  softmax: 'SOFTMAX',
  softmax_loss: 'SOFTMAX_LOSS',
  split: 'SPLIT',
  tanh: 'TANH',
  window_data: 'WINDOW_DATA',
};

/** Where a field went: old name, layer type ('*' for any), sub-message, new name. */
const moves: readonly (readonly [field: string, type: string, param: string, target: string])[] = [
  ['num_output', 'conv', 'convolution_param', 'num_output'],
  ['num_output', 'innerproduct', 'inner_product_param', 'num_output'],
  ['biasterm', 'conv', 'convolution_param', 'bias_term'],
  ['biasterm', 'innerproduct', 'inner_product_param', 'bias_term'],
  ['weight_filler', 'conv', 'convolution_param', 'weight_filler'],
  ['weight_filler', 'innerproduct', 'inner_product_param', 'weight_filler'],
  ['bias_filler', 'conv', 'convolution_param', 'bias_filler'],
  ['bias_filler', 'innerproduct', 'inner_product_param', 'bias_filler'],
  ['pad', 'conv', 'convolution_param', 'pad'],
  ['pad', 'pool', 'pooling_param', 'pad'],
  ['kernelsize', 'conv', 'convolution_param', 'kernel_size'],
  ['kernelsize', 'pool', 'pooling_param', 'kernel_size'],
  ['group', 'conv', 'convolution_param', 'group'],
  ['stride', 'conv', 'convolution_param', 'stride'],
  ['stride', 'pool', 'pooling_param', 'stride'],
  ['pool', 'pool', 'pooling_param', 'pool'],
  ['dropout_ratio', 'dropout', 'dropout_param', 'dropout_ratio'],
  ['local_size', 'lrn', 'lrn_param', 'local_size'],
  ['alpha', 'lrn', 'lrn_param', 'alpha'],
  ['beta', 'lrn', 'lrn_param', 'beta'],
  ['k', 'lrn', 'lrn_param', 'k'],
  ['source', 'data', 'data_param', 'source'],
  ['source', 'hdf5_data', 'hdf5_data_param', 'source'],
  ['source', 'images', 'image_data_param', 'source'],
  ['source', 'window_data', 'window_data_param', 'source'],
  ['source', 'infogain_loss', 'infogain_loss_param', 'source'],
  ['scale', '*', 'transform_param', 'scale'],
  ['meanfile', '*', 'transform_param', 'mean_file'],
  ['cropsize', '*', 'transform_param', 'crop_size'],
  ['mirror', '*', 'transform_param', 'mirror'],
  ['batchsize', 'data', 'data_param', 'batch_size'],
  ['batchsize', 'hdf5_data', 'hdf5_data_param', 'batch_size'],
  ['batchsize', 'images', 'image_data_param', 'batch_size'],
  ['batchsize', 'window_data', 'window_data_param', 'batch_size'],
  ['rand_skip', 'data', 'data_param', 'rand_skip'],
  ['rand_skip', 'images', 'image_data_param', 'rand_skip'],
  ['shuffle_images', 'images', 'image_data_param', 'shuffle'],
  ['new_height', 'images', 'image_data_param', 'new_height'],
  ['new_width', 'images', 'image_data_param', 'new_width'],
  ['concat_dim', 'concat', 'concat_param', 'concat_dim'],
  ['det_fg_threshold', 'window_data', 'window_data_param', 'fg_threshold'],
  ['det_bg_threshold', 'window_data', 'window_data_param', 'bg_threshold'],
  ['det_fg_fraction', 'window_data', 'window_data_param', 'fg_fraction'],
  ['det_context_pad', 'window_data', 'window_data_param', 'context_pad'],
  ['det_crop_mode', 'window_data', 'window_data_param', 'crop_mode'],
];

/** Fields that keep their name, and their place in the layer itself. */
const kept = new Set(['name', 'type', 'blobs', 'blobs_lr', 'weight_decay']);

/** What one who wrote today's type, or that of the second format, should write. */
function v0Hint(type: string): string {
  const v1 = v1OfType(type) ?? type;
  const v0 = Object.keys(layerTypes).find((name) => layerTypes[name] === v1);
  const close = v0 ?? nearest(type, Object.keys(layerTypes));
  return close === null
    ? ': write layer { … } instead of layers { layer { … } }'
    : `; did you mean '${close}'?`;
}

function upgradeLayer(old: V1LayerParameter, options: UpgradeOptions): V1LayerParameter {
  const result = create('V1LayerParameter', { bottom: old.bottom, top: old.top });
  setPosition(result, positionOf(old));
  const layer = old.layer;
  if (!layer) return result;
  const place = { file: options.file, layer: layer.name };
  if (has(layer, 'name')) result.name = layer.name;
  if (has(layer, 'type')) {
    if (!Object.hasOwn(layerTypes, layer.type)) {
      throw new FormatError(`'${layer.type}' is not a layer type of the oldest format${v0Hint(layer.type)}`, {
        ...place,
        line: positionOf(old)?.line,
        field: 'type',
      });
    }
    result.type = V1Type[layerTypes[layer.type]!];
  }
  result.blobs = layer.blobs;
  result.blobs_lr = layer.blobs_lr;
  result.weight_decay = layer.weight_decay;

  const target = result as unknown as AnyMessage;
  for (const { name } of descriptorOf('V0LayerParameter').fields) {
    if (kept.has(name) || !has(layer as unknown as AnyMessage, name)) continue;
    const value = layer[name as keyof V0LayerParameter];
    if (name === 'hdf5_output_param' && layer.type === 'hdf5_output') {
      result.hdf5_output_param = layer.hdf5_output_param;
      continue;
    }
    const move = moves.find(([field, type]) => field === name && (type === '*' || type === layer.type));
    if (!move) {
      options.onWarning?.(
        `layer '${layer.name}': parameter ${name} is unknown for layer type ${layer.type}, dropped`,
      );
      continue;
    }
    const [, , param, field] = move;
    const paramField = descriptorOf('V1LayerParameter').byName.get(param)!;
    const sub = (target[param] ??= create(paramField.typeName as MessageName)) as AnyMessage;
    const list = sub[field];
    if (Array.isArray(list)) list.push(value);
    else sub[field] = value;
  }
  return result;
}

/**
 * The oldest nets had padding as a layer of its own before a convolution or a pooling: drops those layers and
 * gives their padding to the layer that follows.
 */
function foldPadding(
  layers: readonly V1LayerParameter[],
  inputs: readonly string[],
  options: UpgradeOptions,
): V1LayerParameter[] {
  const result: V1LayerParameter[] = [];
  const producer = new Map<string, V1LayerParameter | null>(inputs.map((name) => [name, null]));
  for (const connection of layers) {
    const type = connection.layer?.type ?? '';
    const place = { file: options.file, layer: connection.layer?.name };
    for (const [index, bottom] of connection.bottom.entries()) {
      const source = producer.get(bottom);
      if (source === undefined)
        throw new FormatError(`bottom '${bottom}' is made by no layer before it`, place);
      if (source?.layer?.type !== 'padding') continue;
      if (type !== 'conv' && type !== 'pool') {
        throw new FormatError(
          `a padding layer can stand before a convolution or a pooling only, not ${type}`,
          place,
        );
      }
      if (connection.bottom.length !== 1 || source.bottom.length !== 1 || source.top.length !== 1) {
        throw new FormatError('a padding layer and the one after it take one blob each', place);
      }
      connection.layer!.pad = source.layer.pad;
      connection.bottom[index] = source.bottom[0]!;
    }
    if (type !== 'padding') result.push(connection);
    for (const top of connection.top) producer.set(top, connection);
  }
  return result;
}

/** Whether a net is of the oldest kind, `layers { layer { … } }`. */
export function isV0Net(net: NetParameter): boolean {
  return net.layers.some((connection) => connection.layer !== null);
}

/** Turns a net of the oldest kind into one of the second, in place. */
export function upgradeV0Net(net: NetParameter, options: UpgradeOptions): void {
  net.layers = foldPadding(net.layers, net.input, options).map((connection) =>
    upgradeLayer(connection, options),
  );
}

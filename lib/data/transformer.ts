import { resolve } from 'node:path';
import { NetError } from '../errors/index.js';
import { NativeMemory, ops, Tensor, type NativeStream, type NativeTensor } from '../native/index.js';
import {
  blobData,
  blobShape,
  create,
  has,
  Phase,
  readBlobProto,
  type TransformationParameter,
} from '../proto/index.js';
import { fnv1a32, philox4x32 } from '../util/philox.js';
import type { Blob } from '../blob/index.js';
import type { LayerContext } from '../graph/layer.js';
import type { ColorMode } from './decode-image.js';
import { RecordError, type DecodedRecord } from './record.js';

const channelsText = (count: number) => `${count} channel${count === 1 ? '' : 's'}`;

/** Where a record is cut out, and whether it is mirrored. */
export interface Crop {
  top: number;
  left: number;
  mirror: boolean;
}

/**
 * TransformationParameter as Caffe applies it: crop (at random in TRAIN, the centre in TEST), mirror at random,
 * subtract the mean, multiply by the scale. What is random about a record depends on the seed, the layer's name
 * and the record's ordinal alone.
 */
export class Transformer {
  readonly param: TransformationParameter;
  readonly #stream: number;
  readonly #mean: { values: Float32Array; shape: number[] | null } | null;
  #meanTensor: { channels: number; tensor: NativeTensor } | null = null;

  constructor(
    param: TransformationParameter | null,
    readonly layer: string,
    readonly context: Pick<LayerContext, 'phase' | 'seed' | 'baseFolder'>,
  ) {
    this.param = param ?? create('TransformationParameter');
    this.#stream = fnv1a32(`${layer}/crop`);
    const { crop_size, force_color, force_gray, mean_value } = this.param;
    if (crop_size < 0) this.#fail('crop_size', `cannot be ${crop_size}`);
    if (force_color && force_gray) this.#fail('force_color', 'cannot set both force_color and force_gray');
    const hasFile = has(this.param, 'mean_file');
    if (hasFile && mean_value.length > 0)
      this.#fail('mean_file', 'cannot specify mean_file and mean_value at the same time');
    this.#mean = hasFile
      ? this.#readMeanFile()
      : mean_value.length > 0
        ? { values: Float32Array.from(mean_value), shape: null }
        : null;
  }

  /** How encoded Datums are decoded. */
  get colorMode(): ColorMode {
    return this.param.force_color ? 'color' : this.param.force_gray ? 'gray' : 'native';
  }

  /** (C, H, W) of what a record becomes; checks that the crop and the mean fit it. */
  outputShape(record: DecodedRecord): [number, number, number] {
    const { channels, height, width } = record;
    const crop = this.param.crop_size;
    if (crop > height || crop > width)
      this.#fail('crop_size', `${crop} exceeds record '${record.key}' of ${height} x ${width} pixels`);
    if (this.#mean) {
      const { values, shape } = this.#mean;
      if (!shape && values.length !== 1 && values.length !== channels)
        this.#fail(
          'mean_value',
          `specify either 1 mean_value or as many as channels: ${channels}, not ${values.length}`,
        );
      if (shape && (shape[0] !== channels || shape[1] !== height || shape[2] !== width))
        this.#fail(
          'mean_file',
          `the mean of shape (${shape.join(', ')}) does not fit record '${record.key}' of shape (${channels}, ${height}, ${width})`,
        );
    }
    return crop ? [channels, crop, crop] : [channels, height, width];
  }

  /**
   * Raises a RecordError where a record does not become the (C, H, W) that the others of its batch are, or has not the
   * `channels` that a net is built for.
   */
  requireShape(
    record: DecodedRecord,
    channels: number,
    shape: readonly number[] | null,
    place: string,
  ): void {
    const { key, height, width } = record;
    const fail = (message: string): never => {
      throw new RecordError(key, message, { file: place, layer: this.layer });
    };
    if (record.channels !== channels)
      fail(
        `has ${channelsText(record.channels)} where the batch has ${channelsText(channels)}: ` +
          (record.decoded
            ? 'transform_param { force_color: true } makes three of every image, force_gray: true makes one'
            : 'store all records with the same number'),
      );
    if (!shape) return;
    const crop = this.param.crop_size;
    const fits = crop ? height >= crop && width >= crop : height === shape[1] && width === shape[2];
    if (!fits)
      fail(
        `its shape (${record.channels}, ${height}, ${width}) does not fit the batch's (${shape.join(', ')})` +
          (crop ? ` after crop_size ${crop}` : '; records of different sizes need crop_size'),
      );
    const mean = this.#mean?.shape;
    if (mean && (mean[1] !== height || mean[2] !== width))
      fail(
        `has ${height} x ${width} pixels, the mean image ${mean[1]} x ${mean[2]}: resize all records to that, ` +
          'or give mean_value instead of mean_file',
      );
  }

  /** Crop and mirror of a record, to be cut to height x width. */
  crop(record: DecodedRecord, ordinal: number, height: number, width: number): Crop {
    const spare = { top: record.height - height, left: record.width - width };
    const random = this.param.mirror || this.context.phase === Phase.TRAIN;
    const { seed } = this.context;
    const words = random
      ? philox4x32(
          [ordinal >>> 0, Math.floor(ordinal / 2 ** 32) >>> 0, this.#stream, 0],
          [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0],
        )
      : [0, 0, 0];
    const mirror = this.param.mirror && (words[0] & 1) === 1;
    if (this.context.phase !== Phase.TRAIN)
      return { top: Math.floor(spare.top / 2), left: Math.floor(spare.left / 2), mirror };
    return { top: words[1] % (spare.top + 1), left: words[2] % (spare.left + 1), mirror };
  }

  /** Enqueues the transform of a batch laid out in `src` and `geometry` (see `TransformImagesFields`). */
  enqueue(
    stream: NativeStream,
    src: NativeTensor,
    geometry: NativeTensor,
    dst: Blob,
    batch: DecodedRecord,
  ): void {
    ops.transformImages(stream, {
      src,
      geometry,
      mean: this.#meanFor(batch.channels),
      dst: dst.tensor(),
      layout: batch.layout,
      scale: this.param.scale,
      label: this.layer,
    });
  }

  #meanFor(channels: number): NativeTensor | null {
    if (!this.#mean) return null;
    if (this.#meanTensor?.channels === channels) return this.#meanTensor.tensor;
    const { values, shape } = this.#mean;
    const expanded = shape || values.length > 1 ? values : new Float32Array(channels).fill(values[0]);
    const memory = new NativeMemory(4 * expanded.length);
    new Float32Array(memory.arrayBuffer).set(expanded);
    const tensor = new Tensor(memory, 0, 'f32', shape ?? [channels]);
    this.#meanTensor = { channels, tensor };
    return tensor;
  }

  #readMeanFile(): { values: Float32Array; shape: number[] } {
    const file = resolve(this.context.baseFolder ?? '.', this.param.mean_file);
    const blob = readBlobProto(file, { layer: this.layer, field: 'transform_param.mean_file' });
    const shape = blobShape(blob);
    while (shape.length > 3 && shape[0] === 1) shape.shift();
    if (shape.length !== 3)
      throw new NetError(`a mean image has the shape (1, C, H, W), not (${shape.join(', ')})`, {
        file,
        layer: this.layer,
      });
    return { values: blobData(blob, { file }), shape };
  }

  #fail(field: string, message: string): never {
    throw new NetError(message, { layer: this.layer, field: `transform_param.${field}` });
  }
}

import { Blob } from '../blob/index.js';
import { NetError, UsageError } from '../errors/index.js';
import { filterNet, withLayers, type Net } from '../graph/index.js';
import type { NativeDevice } from '../native/index.js';
import { clone, type LayerParameter } from '../proto/index.js';
import type { NetDefinition } from './net-definitions.js';

/** Layers that give a net its batch; a Parameter has no bottoms either, but belongs to the net that learns it. */
const isInput = ({ bottom, type }: LayerParameter): boolean => bottom.length === 0 && type !== 'Parameter';

/** The input layers of a net in the state that its definition says, with its own batch. */
export function inputLayers({ param, phase, level, stages }: NetDefinition): LayerParameter[] {
  return filterNet(param, { phase, level, stage: stages }).layer.filter(isInput);
}

/** The net of a definition's input layers alone, with a batch `count` times as large. */
export function wideInputs(definition: NetDefinition, count: number): NetDefinition {
  const layers = inputLayers(definition);
  if (layers.length === 0) throw new UsageError('the net has no input whose batch several GPUs could share');
  const wide = layers.map((layer) => widened(layer, count));
  return { ...definition, param: withLayers(definition.param, wide) };
}

function widened(given: LayerParameter, count: number): LayerParameter {
  const layer = clone(given, { shareArrays: true });
  const { data_param, image_data_param, hdf5_data_param, memory_data_param, window_data_param } = layer;
  let found = false;
  for (const source of [data_param, image_data_param, hdf5_data_param, memory_data_param, window_data_param])
    if (source) [source.batch_size, found] = [source.batch_size * count, true];
  const dummy = layer.dummy_data_param;
  for (const { dim } of [...(layer.input_param?.shape ?? []), ...(dummy?.shape ?? [])])
    if (dim.length) [dim[0], found] = [dim[0] * count, true];
  if (dummy?.num.length) [dummy.num, found] = [dummy.num.map((num) => num * count), true];
  if (!found)
    throw new NetError('has no batch that could be multiplied for several GPUs', { layer: layer.name });
  return layer;
}

/**
 * A batch for several nets: one net reads all of it at once, and each of them gets an equal part of every top, in order
 * along axis 0. So all together see what a single net with the whole batch would see, crops and mirrors included.
 */
export class WideBatch {
  /** One a part: its blobs by name, views of the whole batch. */
  readonly parts: readonly ReadonlyMap<string, Blob>[];
  /** The shapes of the tops when they were cut last. */
  readonly #cut = new Map<string, readonly number[]>();

  readonly count: number;

  /** `net` has input layers alone, and keeps all its blobs; there is a part for each device. */
  constructor(
    readonly net: Net,
    devices: readonly NativeDevice[],
  ) {
    this.count = devices.length;
    const names = [...net.sourceTops.keys()];
    this.parts = devices.map((device) => new Map(names.map((name) => [name, new Blob(name, [], device)])));
    this.#cutTops();
  }

  /** Reads the next batch, and waits until it is there. No net may be reading the last one any more. */
  async forward(): Promise<void> {
    await this.net.forward();
    this.#cutTops();
  }

  #cutTops(): void {
    for (const [name, top] of this.net.sourceTops) {
      const { shape } = top;
      if (this.#cut.get(name) === shape) continue;
      if (shape.length === 0 || shape[0] % this.count)
        throw new NetError(
          `top '${name}' of shape ${top.shapeText} cannot be cut into ${this.count} equal batches`,
        );
      for (const [index, part] of this.parts.entries()) {
        const blob = part.get(name)!;
        blob.reshape([shape[0] / this.count, ...shape.slice(1)]);
        blob.shareData(top, index * blob.count);
      }
      this.#cut.set(name, shape);
    }
  }
}

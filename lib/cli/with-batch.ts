import { UsageError } from '../errors/index.js';
import { clone, type NetParameter } from '../proto/index.js';

/** The net with another number of images in the batches that its inputs give; as it is where none is given. */
export function withBatch(net: NetParameter, batch: number | undefined): NetParameter {
  if (batch === undefined) return net;
  const edited = clone(net, { shareArrays: true });
  let found = false;
  for (const { input_param: input, ...layer } of edited.layer) {
    for (const { dim } of input?.shape ?? []) if (dim.length) [dim[0], found] = [batch, true];
    const { data_param, image_data_param, hdf5_data_param, memory_data_param } = layer;
    for (const source of [data_param, image_data_param, hdf5_data_param, memory_data_param])
      if (source) [source.batch_size, found] = [batch, true];
  }
  if (!found) throw new UsageError('the net has no input whose batch could be set (--batch)');
  return edited;
}

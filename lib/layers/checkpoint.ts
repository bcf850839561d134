import type { Layer, LayerCheckpoint } from '../graph/layer.js';

/** A counter of a checkpoint; an error that names the layer where the checkpoint has none of this name. */
export function countIn(layer: Layer, checkpoint: LayerCheckpoint, name: string): number {
  const value = checkpoint[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    layer.fail(`the checkpoint is not one of a layer of type ${layer.type}: it has no count of ${name}`);
  return value as number;
}

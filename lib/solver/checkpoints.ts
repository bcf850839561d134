import { NetError, RistrettoError } from '../errors/index.js';
import type { LayerCheckpoint, Net } from '../graph/index.js';

/** What the layers of a net keep between passes, by name. */
export function checkpointsOf(net: Net): Record<string, LayerCheckpoint> {
  const checkpoints: Record<string, LayerCheckpoint> = {};
  for (const { name, layer } of net.layers) {
    const checkpoint = layer.checkpoint();
    if (checkpoint) checkpoints[name] = checkpoint;
  }
  return checkpoints;
}

/** Puts the layers where they were; every layer that keeps something must be there on both sides. */
export async function restoreCheckpoints(
  net: Net,
  checkpoints: Record<string, LayerCheckpoint>,
  file: string,
): Promise<void> {
  const missing = new Set(Object.keys(checkpoints));
  for (const { name, layer } of net.layers) {
    if (!missing.delete(name)) continue;
    try {
      await layer.restore(checkpoints[name]);
    } catch (error) {
      const reason = error instanceof RistrettoError ? error.reason : (error as Error).message;
      throw new NetError(reason, { file, layer: name, cause: error });
    }
  }
  for (const name of missing) throw new NetError('the net has no such layer', { file, layer: name });
}

import { isError, NetError, RistrettoError, UsageError } from '../errors/index.js';
import type { NativeDevice } from '../native/index.js';

/**
 * Does a piece of work for every net at once, net `i` being on device `i`, and waits for all of them. Where some fail it
 * rejects when all have come to rest, with the error of the first in order: on whichever net it came first.
 */
export async function sideBySide<N>(
  nets: readonly N[],
  devices: readonly NativeDevice[],
  work: (net: N, index: number) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(nets.map(work));
  const failed = results.findIndex(({ status }) => status === 'rejected');
  if (failed < 0) return;
  const { reason } = results[failed] as PromiseRejectedResult;
  throw devices.length > 1 ? onGpu(reason, devices[failed].id) : reason;
}

/** Adds to an error which GPU it arose on. */
function onGpu(error: unknown, id: number): unknown {
  if (!isError(error) || error.name === 'AbortError' || error instanceof UsageError) return error;
  if (!(error instanceof RistrettoError))
    return new NetError(`GPU ${id}: ${error.message}`, { cause: error });
  const { layer, file, field } = error;
  return new NetError(`GPU ${id}: ${error.reason}`, { layer, file, field, cause: error });
}

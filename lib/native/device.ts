import { AsyncLocalStorage } from 'node:async_hooks';
import { NetError, RistrettoError } from '../errors/index.js';
import { addon } from './loader.js';
import type { DeviceOptions, NativeDevice, StreamOptions } from './surface.js';

/** What `useDevice` chose for the whole process; null: the processor. */
let chosen: NativeDevice | null = null;
/** What `onDevice` chose for the work that runs now. */
const scope = new AsyncLocalStorage<NativeDevice | null>();

/** Where memory and streams are made now: what `onDevice` says inside of it, else what `useDevice` said last. */
export function currentDevice(): NativeDevice | null {
  const scoped = scope.getStore();
  return scoped === undefined ? chosen : scoped;
}

/**
 * Makes memory, streams and blobs that are made from now on belong to this GPU, null: to the processor; those made
 * before stay where they are. Throws where there is no such GPU, or it cannot be used.
 */
export function useDevice(id: number | null, options?: DeviceOptions): NativeDevice | null {
  chosen = id === null ? null : new addon.Device(id, options);
  return chosen;
}

/**
 * Runs `work` so that what it makes belongs to a device, also behind its awaits, whatever other work runs between
 * them; `useDevice` has no say there. Gives what `work` gives.
 */
export function onDevice<T>(device: NativeDevice | null, work: () => T): T {
  // Nothing to keep apart: most programs never choose a device.
  if (device === null && currentDevice() === null) return work();
  return scope.run(device, work);
}

/** Zeroed memory of a device, the current one where none is given. `pinned`: for copies to it (`NativeAddon.Buffer`). */
export class NativeMemory extends addon.Buffer {
  constructor(bytes: number, device: NativeDevice | null = currentDevice(), pinned = false) {
    super(bytes, device, pinned);
  }
}

/** What a stream reports, as an error of this package: it names the layer whose op failed. */
function reported(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RistrettoError) return error;
  const { layer } = error as { layer?: string };
  return layer === undefined
    ? new RistrettoError(error.message, { cause: error })
    : new NetError(error.message, { layer, cause: error });
}

/** A queue of native operations on a device, the current one where none is given. */
export class Stream extends addon.Stream {
  constructor(options: StreamOptions = {}) {
    try {
      super({ ...options, device: options.device === undefined ? currentDevice() : options.device });
    } catch (error) {
      throw reported(error);
    }
  }

  override sync(): Promise<void> {
    return super.sync().catch((error: unknown) => {
      throw reported(error);
    });
  }

  override syncBlocking(): void {
    try {
      super.syncBlocking();
    } catch (error) {
      throw reported(error);
    }
  }
}

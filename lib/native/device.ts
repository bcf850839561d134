import { AsyncLocalStorage } from 'node:async_hooks';
import { NetError, RistrettoError, UsageError } from '../errors/index.js';
import {
  anyOf,
  byteCount,
  callback,
  checkArgument,
  checkOptions,
  exactly,
  flag,
  instanceOf,
  oneOf,
  required,
  threadCount,
  whole,
  type OptionKinds,
} from '../util/check-options.js';
import { addon } from './loader.js';
import type { DeviceOptions, InstructionSet, NativeDevice, NativeGraph, StreamOptions } from './surface.js';

export const deviceKind = instanceOf('a Device', addon.Device);
export const streamKind = instanceOf('a Stream', addon.Stream);
export const instructionSetKind = oneOf<InstructionSet>(
  'auto',
  'portable',
  'avx2',
  'avx_vnni',
  'avx512',
  'avx512_vnni',
  'neon',
  'neon_dot',
  'ref',
);

const streamOptionKinds: OptionKinds<StreamOptions> = {
  threads: threadCount,
  isa: instructionSetKind,
  profile: flag,
  device: anyOf(deviceKind, exactly(null)),
};

const deviceOptionKinds: OptionKinds<DeviceOptions> = {
  memoryLimit: byteCount,
  math: oneOf('fp32', 'tf32', 'bf16'),
};

function checkDevice(what: string, id: unknown, options: DeviceOptions | undefined): void {
  checkArgument(what, 'id', id, required(whole(0, 2 ** 31 - 1)));
  if (options !== undefined) checkOptions(what, options, deviceOptionKinds);
}

/** A GPU to make memory and streams on. Throws where there is none of this number, or it cannot be used. */
export class Device extends addon.Device {
  constructor(id: number, options?: DeviceOptions, what = 'new Device') {
    checkDevice(what, id, options);
    try {
      super(id, options);
    } catch (error) {
      throw reported(error);
    }
  }
}

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
  chosen = id === null ? null : new Device(id, options, 'useDevice');
  return chosen;
}

/**
 * Runs `work` so that what it makes belongs to a device, also behind its awaits, whatever other work runs between
 * them; `useDevice` has no say there. Gives what `work` gives.
 */
export function onDevice<T>(device: NativeDevice | null, work: () => T): T {
  checkArgument('onDevice', 'work', work, required(callback));
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
    checkOptions('new Stream', options, streamOptionKinds);
    try {
      super({ ...options, device: options.device === undefined ? currentDevice() : options.device });
    } catch (error) {
      throw reported(error);
    }
  }

  override async sync(): Promise<void> {
    this.#refuseClosed();
    try {
      await super.sync();
    } catch (error) {
      // Whatever was under way ended with the stream.
      this.#refuseClosed();
      throw reported(error);
    }
  }

  override syncBlocking(): void {
    this.#refuseClosed();
    try {
      super.syncBlocking();
    } catch (error) {
      throw reported(error);
    }
  }

  override beginCapture(): void {
    this.#use(() => super.beginCapture());
  }

  override endCapture(): NativeGraph {
    return this.#use(() => super.endCapture());
  }

  override launch(graph: NativeGraph): void {
    this.#use(() => super.launch(graph));
  }

  #refuseClosed(): void {
    if (this.closed) throw new UsageError('the stream is closed');
  }

  /** What enqueues nothing can only be used wrongly. */
  #use<T>(work: () => T): T {
    this.#refuseClosed();
    try {
      return work();
    } catch (error) {
      throw new UsageError((error as Error).message, { cause: error });
    }
  }
}

/** Where ops run: streams and devices. */

/** A GPU as it describes itself. */
export interface GpuInfo {
  id: number;
  name: string;
  /** Compute capability, as '9.0'. */
  capability: string;
  multiprocessors: number;
  /** Bytes. */
  memory: number;
  /** Why it cannot be used; empty where it can. */
  unusable: string;
}

export interface DeviceOptions {
  /** Bytes of the GPU's memory that may be taken at most; 0, the default: all. */
  memoryLimit?: number;
  /**
   * What products of float32 are made of, default 'fp32', which is the processor's arithmetic. The others round both
   * factors, to 10 or 7 bits of mantissa, and add in float32 on tensor cores (compute capability 8.0 and newer).
   */
  math?: 'fp32' | 'tf32' | 'bf16';
}

/** A GPU to make memory and streams on. All memory made with one object comes from its pool. */
export interface NativeDevice {
  /** As `devices()` lists it. */
  readonly id: number;
}

/** Operations recorded by a stream, to be run again in one go. Opaque. */
export interface NativeGraph {
  readonly __graph: unique symbol;
  /** Drops the operations, and with them their hold on their operands; a launch does nothing from then on. */
  free(): void;
}

/** A mark on operations by which they can be skipped. */
export interface NativeCancellation {
  /** Operations with this mark do not run any more; one that runs is left in the middle. */
  cancel(): void;
}

/** Seconds spent in one op of one layer since the stream began. */
export interface StreamTiming {
  label: string;
  op: string;
  seconds: number;
  calls: number;
}

export type InstructionSet =
  | 'auto'
  | 'portable'
  | 'avx2'
  | 'avx_vnni'
  | 'avx512'
  | 'avx512_vnni'
  | 'neon'
  | 'neon_dot'
  | 'ref';

export interface StreamOptions {
  /** Threads that share the work, 1..1024; the machine's processors where unset. Results do not depend on it. */
  threads?: number;
  /** Limits the kernels to an instruction set; an error where this machine lacks it. 'ref': the definitions. */
  isa?: InstructionSet;
  /** Collect timings per layer and op. */
  profile?: boolean;
  /** Where ops run, null for the processor; an instruction set other than 'auto' is one of the processor. */
  device?: NativeDevice | null;
}

/**
 * A queue of native operations that run in order on a thread of their own, as a CUDA stream does. Enqueueing
 * returns at once; the first failing operation makes the rest up to the next sync no-ops.
 */
export interface NativeStream {
  readonly threads: number;
  /** The GPU that it belongs to; null for the processor. */
  readonly device: NativeDevice | null;
  /** Whether it belongs to a GPU: it was made with one, and no instruction set was asked for. */
  readonly onDevice: boolean;
  /** Whether `close` was called: nothing can be enqueued any more. */
  readonly closed: boolean;
  /** Resolves when everything enqueued so far is done; rejects with the first error, which names the layer. */
  sync(): Promise<void>;
  /** The same, blocking the JavaScript thread. */
  syncBlocking(): void;
  profile(): StreamTiming[];
  /** From here to `endCapture` ops are checked and recorded instead of run. */
  beginCapture(): void;
  /** What was recorded. Its operands stay alive, and where they are, as long as the graph does. */
  endCapture(): NativeGraph;
  /** Enqueues everything that a graph holds, in one call. */
  launch(graph: NativeGraph): void;
  /** The mark of what is enqueued from now on, syncs included: these reject once it is cancelled. */
  cancellation: NativeCancellation | null;
  /** Ends the threads now, in the middle of what they do; pending syncs reject. */
  close(): void;
}

import { DataError, type RistrettoError, UsageError } from '../errors/index.js';
import { Stream, streamKind, type NativeStream } from '../native/index.js';
import type { OptionKinds } from '../util/check-options.js';
import type { CallMemory } from './check.js';

/** Where a kernel runs. */
export interface KernelOptions {
  /** A stream of one's own, with its threads and instruction set; one of all processors is shared otherwise. */
  stream?: NativeStream;
}

export const kernelOptionKinds: OptionKinds<KernelOptions> = { stream: streamKind };

/** A kernel whose arguments are checked and copied: ready to run, and to hand out its result. */
export interface Work<Result> {
  enqueue(stream: NativeStream): void;
  /** Arrays on the call's memory. */
  result(): Result;
  memory: CallMemory;
}

let shared: NativeStream | null = null;
const streamOf = ({ stream }: KernelOptions): NativeStream => stream ?? (shared ??= new Stream());

function enqueue(work: Work<unknown>, stream: NativeStream): void {
  try {
    work.enqueue(stream);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** What arises while a kernel runs is the data's fault: its arguments were checked before. */
const dataError = (error: unknown): RistrettoError =>
  new DataError((error as Error).message, { cause: error });

/** Blocks the JavaScript thread. */
export function runSync<Result>(work: Work<Result>, options: KernelOptions): Result {
  const stream = streamOf(options);
  try {
    enqueue(work, stream);
    try {
      stream.syncBlocking();
    } catch (error) {
      throw dataError(error);
    }
    // A copy: a loop of such calls never gives the collector its turn to free native memory.
    return structuredClone(work.result());
  } finally {
    work.memory.free();
  }
}

export async function run<Result>(work: Work<Result>, options: KernelOptions): Promise<Result> {
  const stream = streamOf(options);
  try {
    enqueue(work, stream);
    try {
      await stream.sync();
    } catch (error) {
      throw dataError(error);
    }
    return work.result();
  } finally {
    work.memory.freeOperands();
  }
}

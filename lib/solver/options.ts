import type { LayerRegistry, NetOptions } from '../graph/index.js';
import type { NativeDevice } from '../native/index.js';
import type { SolverParameter } from '../proto/index.js';
import type { SolverEvent } from './events.js';
import type { WatchOptions } from './watch.js';

export interface SolverOptions extends Pick<
  NetOptions,
  | 'threads'
  | 'isa'
  | 'profile'
  | 'dataSource'
  | 'skipBad'
  | 'rounding'
  | 'trainActivations'
  | 'trainNearest'
  | 'memoryLimit'
> {
  /** As read from a prototxt. It is not changed. */
  param: SolverParameter;
  /** Layer types of the nets; those of the package where unset. */
  registry?: LayerRegistry;
  /**
   * GPUs to train on, each once; the current device alone where unset. Every one of several takes the batch that the
   * prototxt says, so a pass is one over a batch as many times larger.
   */
  devices?: readonly NativeDevice[];
  /** Folder that relative paths in the prototxts start from; the working folder where unset. */
  baseFolder?: string;
  /** Weights to start from, behind those of the solver's own `weights`. */
  weights?: readonly string[];
  /** A solverstate to go on from. */
  resume?: string;
  /** Seeds everything random; the solver's `random_seed` where unset, else that of the snapshot, else 0. */
  seed?: number;
  /** Iterations in which the learning rate rises in equal steps to what its policy says; default none. */
  warmup?: number;
  /** An output of the tests to follow. */
  watch?: WatchOptions;
  onEvent?: (event: SolverEvent) => void | Promise<void>;
  /** Ends training between two iterations, as `stop()` does. */
  signal?: AbortSignal;
}

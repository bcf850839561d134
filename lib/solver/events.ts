import type { Clipping } from './update.js';

/** One element of an output of a net. */
export interface OutputValue {
  name: string;
  value: number;
  /** Of the output in the net's loss. */
  lossWeight: number;
}

/** The result of a test net over all its batches. */
export interface TestResult {
  /** Which of the test nets. */
  net: number;
  iteration: number;
  /** Means over the batches. */
  outputs: OutputValue[];
  /** Mean loss, where `test_compute_loss` asks for it. */
  loss: number | null;
}

/** Mean magnitude of the values of one blob, as `debug_info` asks for. */
export interface BlobMagnitude {
  pass: 'forward' | 'backward';
  layer: string;
  blob: string;
  kind: 'top' | 'bottom' | 'param';
  value: number;
}

/** What a solver tells while it works, in the order in which the original logs it. */
export type SolverEvent =
  | { kind: 'warning'; message: string }
  | { kind: 'testing'; net: number; iteration: number }
  | ({ kind: 'tested' } & TestResult)
  /** Every `display` iterations, and once more behind the last one (`last`: without outputs). */
  | { kind: 'display'; iteration: number; loss: number; outputs: OutputValue[]; last: boolean }
  /** Behind each pass of an iteration that is displayed, with `debug_info`. */
  | { kind: 'debug'; iteration: number; magnitudes: BlobMagnitude[] }
  /** A multistep policy went one step down. */
  | { kind: 'step'; iteration: number; step: number }
  | { kind: 'learningRate'; iteration: number; rate: number }
  | ({ kind: 'clipped'; iteration: number } & Clipping)
  /** An update was made; `iteration` counts it. `loss` is that of this iteration alone. */
  | { kind: 'iterated'; iteration: number; loss: number }
  /** Before files are written. */
  | { kind: 'snapshot'; iteration: number; model: string; state: string; hdf5: boolean }
  /** A test gave the best value so far of the output that is watched. */
  | { kind: 'best'; iteration: number; value: number; model: string | null }
  | { kind: 'stopped'; iteration: number; reason: 'request' | 'patience' };

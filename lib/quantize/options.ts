import type { Engine } from '../engine/index.js';
import type { Rounding } from '../native/index.js';
import type { NetParameter } from '../proto/index.js';
import type { QuantizeEvent } from './events.js';
import type { LayerIntegerLengths, LayerRange } from './integer-lengths.js';
import type { TrimmingMode } from './modes/index.js';
import type { LayerReport, ParameterBytes } from './report.js';

/** What every run over data sources takes. */
export interface RunOptions {
  /** The net's prototxt: a path, or the message itself. */
  model: string | NetParameter;
  /** The caffemodel (also HDF5): a path, or the message itself. */
  weights: string | NetParameter;
  /** TEST batches per score. */
  iterations: number;
  /** Replaces the source of the TEST data layers; of the TRAIN ones too where `trainData` is not given. */
  data?: string;
  /** Skip and count records that cannot be read instead of failing. */
  skipBad?: boolean;
  /** Learnable parameters that the weights leave unfilled keep their fillers instead of being an error. */
  allowMissing?: boolean;
  /** Threads that share the work; the machine's processors where unset. The results do not depend on it. */
  threads?: number;
  /** Seeds everything random: crops, mirrors, stochastic rounding, fillers. */
  seed?: number;
  /** How quantised layers round; the net's own scheme (half away from zero) where unset. */
  rounding?: Rounding;
  /**
   * How quantised layers run: 'simulate' in float32 on trimmed numbers, 'integer' on integer codes (an error where a
   * layer cannot), 'auto', where unset, on codes where all of a net's quantised layers can.
   */
  engine?: Engine;
  /** Stops the run; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface QuantizeOptions extends RunOptions {
  trimmingMode: TrimmingMode;
  /** Path of the quantised net's prototxt; nothing is written where unset. */
  modelQuantized?: string;
  /** Allowed loss of score in per cent; 2 where unset. */
  errorMargin?: number;
  /** Replaces the source of the TRAIN data layers. */
  trainData?: string;
  /** TRAIN batches that ranges are taken from; 10 where unset. */
  calibrationIterations?: number;
  /** Whether dropout acts during calibration, as it does in the original. */
  calibrationDropout?: boolean;
  /** Use these instead of calibrating. */
  integerLengths?: readonly LayerIntegerLengths[];
  /** The output blob whose first value is the score; the first output where unset. */
  score?: string;
  /** Continue from the journal beside `modelQuantized` that a killed search left. */
  resume?: boolean;
  onEvent?: (event: QuantizeEvent) => void;
}

/** Scores by bit width. */
export type ScoresByWidth = Readonly<Record<string, number>>;

export interface QuantizeResult {
  trimmingMode: TrimmingMode;
  /** The float net's score. */
  baseline: number;
  /** The ladders of dynamic fixed point. */
  convWeights?: ScoresByWidth;
  fcWeights?: ScoresByWidth;
  activations?: ScoresByWidth;
  /** The ladder of the other modes. */
  ladder?: ScoresByWidth;
  chosen: { convWeights?: number; fcWeights?: number; activations?: number; bitWidth?: number };
  /** Score of the net that is written. */
  combined: number;
  errorMargin: number;
  /** Whether `combined` is within the margin of the baseline. */
  withinMargin: boolean;
  /** Of minifloat. */
  exponentBits?: number;
  integerLengths: LayerIntegerLengths[];
  /** Null where integer lengths were given. */
  ranges: LayerRange[] | null;
  layers: LayerReport[];
  parameterBytes: ParameterBytes;
  /** The output blob that was scored. */
  scoredOutput: string;
  /** Records that were skipped over all passes, with `skipBad`. */
  skippedRecords: number;
  warnings: string[];
  seconds: number;
  /** The quantised net. */
  net: NetParameter;
}

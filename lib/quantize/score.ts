import { registry } from '../data/index.js';
import type { NativeDevice } from '../native/index.js';
import { Phase, readNetText, readWeights } from '../proto/index.js';
import { checkOptions } from '../util/check-options.js';
import { withCallbacks } from '../util/index.js';
import { Evaluator, type OnBatch } from './evaluator.js';
import { scoreKinds } from './option-kinds.js';
import type { RunOptions } from './options.js';
import { scoreOnDevices } from './several-devices.js';
import type { BatchScores, NetScores, OutputDescription } from './running-scores.js';

export interface ScoreOptions extends RunOptions {
  /** State that include and exclude rules are held against; TEST, 0 and none where unset. */
  phase?: Phase;
  level?: number;
  stages?: readonly string[];
  /** GPUs to score on, batches in turn; the current device where unset. Scores do not depend on it. */
  devices?: readonly NativeDevice[];
  /** The net and its weights have been read. */
  onStart?: () => void;
  onBatch?: (batch: number, outputs: OutputDescription[], scores: BatchScores) => void;
}

export interface ScoreResult extends NetScores {
  skippedRecords: number;
  seconds: number;
}

/** Scores one net, float or quantised, over `iterations` batches: what `caffe test` does. */
export async function score(options: ScoreOptions): Promise<ScoreResult> {
  checkOptions('score', options, scoreKinds);
  return withCallbacks(options, scoreBatches);
}

async function scoreBatches(options: ScoreOptions): Promise<ScoreResult> {
  const started = performance.now();
  const { iterations } = options;
  const net = typeof options.model === 'string' ? readNetText(options.model) : options.model;
  const weights = typeof options.weights === 'string' ? await readWeights(options.weights) : options.weights;
  options.onStart?.();
  const { devices = [] } = options;
  const evaluator = new Evaluator({
    device: devices[0],
    weights,
    registry,
    threads: options.threads,
    seed: options.seed,
    rounding: options.rounding,
    engine: options.engine,
    dataSource: { train: options.data, test: options.data },
    skipBad: options.skipBad,
    allowMissing: options.allowMissing,
    signal: options.signal,
    level: options.level,
    stages: options.stages,
  });
  try {
    const phase = options.phase ?? Phase.TEST;
    const onBatch: OnBatch = (_net, batch, outputs, scores) => options.onBatch?.(batch, outputs, scores);
    const scores =
      devices.length > 1
        ? await scoreOnDevices(evaluator, devices, net, phase, iterations, onBatch)
        : (await evaluator.score([net], phase, iterations, onBatch))[0];
    return {
      ...scores,
      skippedRecords: evaluator.skippedRecords,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await evaluator.close();
  }
}

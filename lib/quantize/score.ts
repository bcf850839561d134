import { registry } from '../data/index.js';
import { UsageError } from '../errors/index.js';
import { Phase, readNetText, readWeights } from '../proto/index.js';
import { Evaluator } from './evaluator.js';
import type { RunOptions } from './options.js';
import type { BatchScores, NetScores, OutputDescription } from './running-scores.js';

export interface ScoreOptions extends RunOptions {
  /** State that include and exclude rules are held against; TEST, 0 and none where unset. */
  phase?: Phase;
  level?: number;
  stages?: readonly string[];
  onBatch?: (batch: number, outputs: OutputDescription[], scores: BatchScores) => void;
}

export interface ScoreResult extends NetScores {
  skippedRecords: number;
  seconds: number;
}

/** Scores one net, float or quantised, over `iterations` batches: what `caffe test` does. */
export async function score(options: ScoreOptions): Promise<ScoreResult> {
  const started = performance.now();
  const { iterations } = options;
  if (!(Number.isInteger(iterations) && iterations > 0))
    throw new UsageError(`iterations must be a positive integer, not ${iterations}`);
  const net = typeof options.model === 'string' ? readNetText(options.model) : options.model;
  const weights = typeof options.weights === 'string' ? await readWeights(options.weights) : options.weights;
  const evaluator = new Evaluator({
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
    const [scores] = await evaluator.score(
      [net],
      options.phase ?? Phase.TEST,
      iterations,
      (_net, batch, outputs, batchScores) => options.onBatch?.(batch, outputs, batchScores),
    );
    return {
      ...scores,
      skippedRecords: evaluator.skippedRecords,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await evaluator.close();
  }
}

export { classify, type ClassifyOptions, type Prediction } from './classify.js';
export { quantize } from './quantize.js';
export { score, type ScoreOptions, type ScoreResult } from './score.js';
export { parseIntegerLengths, type LayerIntegerLengths, type LayerRange } from './integer-lengths.js';
export type { EvaluationId, QuantizeEvent } from './events.js';
export type { Candidate, ModeOutcome, Part, TrimmingMode } from './modes/index.js';
export type { QuantizeOptions, QuantizeResult, RunOptions, ScoresByWidth } from './options.js';
export type { LayerReport, ParameterBytes, SaturationCount } from './report.js';
export type { BatchScores, NetScores, OutputDescription } from './running-scores.js';

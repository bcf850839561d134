import { engineKind } from '../engine/index.js';
import { devicesKind, phaseKind, roundingKind, weightsKind } from '../graph/index.js';
import {
  abortSignal,
  anyOf,
  callback,
  finite,
  flag,
  listOf,
  oneOf,
  path,
  record,
  required,
  seedNumber,
  text,
  threadCount,
  whole,
  type OptionKinds,
} from '../util/check-options.js';
import type { ClassifyOptions } from './classify.js';
import { LEAST_LENGTH, MOST_LENGTH, type LayerIntegerLengths } from './integer-lengths.js';
import { modes } from './modes/index.js';
import type { QuantizeOptions, RunOptions } from './options.js';
import type { ScoreOptions } from './score.js';

const runKinds: OptionKinds<RunOptions> = {
  model: required(weightsKind),
  weights: required(weightsKind),
  iterations: required(whole(1)),
  data: text,
  skipBad: flag,
  allowMissing: flag,
  threads: threadCount,
  seed: seedNumber,
  rounding: roundingKind,
  engine: engineKind,
  signal: abortSignal,
};

export const scoreKinds: OptionKinds<ScoreOptions> = {
  ...runKinds,
  phase: phaseKind,
  level: whole(-(2 ** 31), 2 ** 31 - 1),
  stages: listOf(text),
  devices: devicesKind,
  onStart: callback,
  onBatch: callback,
};

const integerLength = required(whole(LEAST_LENGTH, MOST_LENGTH));
const integerLengthKinds: OptionKinds<LayerIntegerLengths> = {
  layer: required(text),
  input: integerLength,
  output: integerLength,
  parameters: integerLength,
};

export const quantizeKinds: OptionKinds<QuantizeOptions> = {
  ...runKinds,
  trimmingMode: required(oneOf(...Object.keys(modes))),
  modelQuantized: path,
  errorMargin: finite,
  trainData: text,
  calibrationIterations: whole(1),
  calibrationDropout: flag,
  integerLengths: listOf(record(integerLengthKinds)),
  score: text,
  resume: flag,
  onEvent: callback,
};

export const classifyKinds: OptionKinds<ClassifyOptions> = {
  model: runKinds.model,
  weights: runKinds.weights,
  image: required(path),
  labels: path,
  mean: anyOf(path, listOf(finite)),
  scale: finite,
  top: whole(1),
  output: text,
  threads: threadCount,
  rounding: roundingKind,
  allowMissing: flag,
  engine: engineKind,
  signal: abortSignal,
};

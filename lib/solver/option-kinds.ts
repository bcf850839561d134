import { devicesKind, netOptionKinds } from '../graph/index.js';
import { messageKind } from '../proto/message.js';
import {
  abortSignal,
  callback,
  flag,
  listOf,
  path,
  record,
  required,
  seedNumber,
  text,
  whole,
  type OptionKinds,
} from '../util/check-options.js';
import type { SolverOptions } from './options.js';
import type { WatchOptions } from './watch.js';

const watchKinds: OptionKinds<WatchOptions> = {
  output: required(text),
  net: whole(0),
  largest: flag,
  save: flag,
  patience: whole(1),
};

/** What `Solver.create` takes. */
export const solverOptionKinds: OptionKinds<SolverOptions> = {
  param: required(messageKind('SolverParameter')),
  registry: netOptionKinds.registry,
  devices: devicesKind,
  baseFolder: text,
  weights: listOf(path),
  resume: path,
  seed: seedNumber,
  warmup: whole(0),
  watch: record(watchKinds),
  onEvent: callback,
  signal: abortSignal,
  threads: netOptionKinds.threads,
  isa: netOptionKinds.isa,
  profile: flag,
  dataSource: netOptionKinds.dataSource,
  skipBad: flag,
  rounding: netOptionKinds.rounding,
  trainActivations: flag,
  trainNearest: flag,
  memoryLimit: netOptionKinds.memoryLimit,
};

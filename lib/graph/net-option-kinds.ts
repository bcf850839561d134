import { deviceKind, instructionSetKind, streamKind } from '../native/index.js';
import { Phase } from '../proto/index.js';
import { messageKind } from '../proto/message.js';
import {
  abortSignal,
  anyOf,
  byteCount,
  callback,
  flag,
  having,
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
import type { BackwardOptions, CopyOptions, ForwardOptions, NetOptions } from './net.js';

export const phaseKind = { ...oneOf(Phase.TRAIN, Phase.TEST), is: 'Phase.TRAIN or Phase.TEST' };
export const registryKind = having('layer types by name, as `registry`');
export const roundingKind = oneOf('halfAwayFromZero', 'halfToEven', 'halfUp', 'floor', 'stochastic');
/** Devices to work on together. */
export const devicesKind = listOf(deviceKind);

/** What `Net.create` takes. */
export const netOptionKinds: OptionKinds<NetOptions> = {
  param: required(messageKind('NetParameter')),
  registry: registryKind,
  phase: phaseKind,
  level: whole(-(2 ** 31), 2 ** 31 - 1),
  stages: listOf(text),
  stream: streamKind,
  threads: threadCount,
  isa: instructionSetKind,
  profile: flag,
  backward: flag,
  batchShare: record({ index: required(whole(0)), count: required(whole(1)) }),
  seed: seedNumber,
  keep: anyOf(oneOf('all', 'outputs'), listOf(text)),
  sources: anyOf(having('a Net', 'sourceTops'), having('a Map of blobs', 'keys', 'get')),
  arena: having('an ActivationArena', 'exclusive', 'attach'),
  dataSource: anyOf(text, record({ train: text, test: text })),
  baseFolder: text,
  skipBad: flag,
  rounding: roundingKind,
  trainActivations: flag,
  trainNearest: flag,
  memoryLimit: byteCount,
  partBytes: byteCount,
  signal: abortSignal,
};

export const forwardOptionKinds: OptionKinds<ForwardOptions> = {
  observe: callback,
  from: whole(0),
  to: whole(0),
  signal: abortSignal,
};

export const backwardOptionKinds: OptionKinds<BackwardOptions> = { observe: callback, signal: abortSignal };

export const copyOptionKinds: OptionKinds<CopyOptions> = { allowMissing: flag, file: text };

/** Weights to copy: a path, or what was read from one. */
export const weightsKind = anyOf(path, messageKind('NetParameter'));

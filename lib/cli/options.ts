import type { FileKind } from '../proto/index.js';

/** What a flag or an argument that names a file or folder does with it; no file where neither is said. */
export interface FileUse {
  /** It is read, and is one of these kinds; of any kind where the list is empty. */
  reads?: readonly FileKind[];
  /** It is written. */
  writes?: boolean;
  /** Several may be given, separated by commas. */
  several?: boolean;
}

/** What data is read from. */
export const dataKinds = [
  'lmdb',
  'lmdbFile',
  'levelDb',
  'folder',
  'list',
  'hdf5',
] as const satisfies readonly FileKind[];

/** A flag of a command: one row of the command's table. */
export interface OptionRow extends FileUse {
  kind: 'string' | 'integer' | 'number' | 'boolean' | 'choice';
  help: string;
  /** Shown for the value in the help text. */
  value?: string;
  default?: string | number | boolean;
  /** Of kind 'choice': the values that are taken. */
  choices?: readonly string[];
  /** Inclusive bounds of a number. */
  min?: number;
  max?: number;
  /** Missing or empty is an error; the sentence says what for, as the original's does. */
  required?: string;
}

export type OptionTable = Readonly<Record<string, OptionRow>>;

type ValueOf<R extends OptionRow> = R['kind'] extends 'string'
  ? string
  : R['kind'] extends 'choice'
    ? R['choices'] extends readonly (infer C)[]
      ? C
      : string
    : R['kind'] extends 'boolean'
      ? boolean
      : number;

/** The values that a table's flags have after parsing; undefined where neither given nor defaulted. */
export type ValuesOf<T extends OptionTable> = {
  -readonly [K in keyof T]: T[K] extends { default: unknown } | { required: string }
    ? ValueOf<T[K]>
    : ValueOf<T[K]> | undefined;
};

/** A positional argument. */
export interface ArgumentRow extends FileUse {
  name: string;
  help: string;
  optional?: boolean;
}

/** Flags that every command takes. */
export const commonOptions = {
  log: {
    kind: 'choice',
    choices: ['auto', 'glog', 'terminal', 'quiet'],
    default: 'auto',
    help: "glog: the original's log lines on stderr; terminal: progress bars and tables; auto: terminal where stderr is one, else glog",
  },
  json: { kind: 'string', value: 'FILE', writes: true, help: 'write everything as data' },
} as const satisfies OptionTable;

/** Where a net runs. */
export const gpuOptions = {
  gpu: {
    kind: 'string',
    value: 'IDS',
    help: 'run on this GPU; without a usable one the CPU is used, after a warning. caffe train and test take several, as 0,1 or all: to train, each has a batch of its own',
  },
  gpu_memory: {
    kind: 'integer',
    min: 1,
    max: 2 ** 30,
    value: 'MIB',
    help: "most of the GPU's memory that blobs may take (all of it)",
  },
  math: {
    kind: 'choice',
    choices: ['fp32', 'tf32', 'bf16'],
    default: 'fp32',
    help: "float products on the GPU: fp32, the CPU's arithmetic; tf32 or bf16 on its tensor cores, with factors of 10 or 7 bits",
  },
  require_gpu: { kind: 'boolean', default: false, help: 'without a usable GPU: an error' },
} as const satisfies OptionTable;

/** Flags of the commands that run a net. */
export const netOptions = {
  ...gpuOptions,
  threads: {
    kind: 'integer',
    min: 1,
    max: 1024,
    value: 'N',
    help: "threads that share the work (the machine's processors)",
  },
  seed: {
    kind: 'integer',
    min: 0,
    max: 2 ** 32 - 1,
    default: 1,
    value: 'N',
    help: 'seed of everything random',
  },
  allow_missing: {
    kind: 'boolean',
    default: false,
    help: 'parameters that the weights leave unfilled keep their fillers',
  },
  rounding: {
    kind: 'choice',
    choices: ['away', 'even', 'up', 'floor'],
    help: 'how quantised layers round ties (away from zero), or floor',
  },
} as const satisfies OptionTable;

/** A net and its weights. */
export const modelOptions = {
  model: {
    kind: 'string',
    value: 'FILE',
    reads: ['net'],
    required: 'Need a model definition.',
    help: "the net's prototxt",
  },
  weights: {
    kind: 'string',
    value: 'FILE',
    reads: ['weights'],
    required: 'Need model weights.',
    help: 'the trained weights',
  },
} as const satisfies OptionTable;

/** How the commands that score a net run its quantised layers. */
export const engineOptions = {
  engine: {
    kind: 'choice',
    choices: ['auto', 'integer', 'simulate'],
    default: 'auto',
    help: 'how quantised layers run: on integer codes, simulated in float32, or on codes where all of them can',
  },
} as const satisfies OptionTable;

/** The state that a net's include and exclude rules are held against. */
export const stateOptions = {
  phase: { kind: 'string', value: 'PHASE', help: "TRAIN or TEST; used by 'time' only" },
  level: { kind: 'integer', default: 0, help: "the net's level" },
  stage: { kind: 'string', value: 'NAMES', help: "the net's stages, separated by commas" },
} as const satisfies OptionTable;

/** Flags of the commands that read data sources. */
export const dataOptions = {
  data: { kind: 'string', value: 'PATH', reads: dataKinds, help: "replaces the data layers' sources" },
  skip_bad: {
    kind: 'boolean',
    default: false,
    help: 'skip and count records that cannot be read instead of stopping',
  },
} as const satisfies OptionTable;

/** For commands that read data of both phases. */
export const trainDataOptions = {
  train_data: {
    kind: 'string',
    value: 'PATH',
    reads: dataKinds,
    help: "replaces the TRAIN data layers' sources, instead of what --data says",
  },
} as const satisfies OptionTable;

/** glog's and gflags' own flags: scripts pass them, nothing here depends on them. */
export const ignoredFlags: ReadonlySet<string> = new Set([
  'alsologtostderr',
  'logtostderr',
  'colorlogtostderr',
  'stderrthreshold',
  'minloglevel',
  'log_dir',
  'logbufsecs',
  'max_log_size',
  'v',
  'vmodule',
]);

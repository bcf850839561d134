import type { CommandRow } from './command.js';

export const convertImagesetRow: CommandRow = {
  name: 'convert_imageset',
  summary: 'makes an LMDB or LevelDB of image files',
  load: async () => (await import('./commands/convert-imageset.js')).convertImagesetCommand,
};

export const computeImageMeanRow: CommandRow = {
  name: 'compute_image_mean',
  summary: 'computes the mean image of a database and the mean of each channel',
  load: async () => (await import('./commands/compute-image-mean.js')).computeImageMeanCommand,
};

/** The commands of `ristretto`, one row each. */
export const ristrettoCommands: readonly CommandRow[] = [
  {
    name: 'quantize',
    summary: 'finds how few bits a trained net needs, and writes the quantised net',
    load: async () => (await import('./commands/quantize.js')).quantizeCommand,
  },
  {
    name: 'classify',
    summary: 'gives the top classes of an image with a deploy net',
    load: async () => (await import('./commands/classify.js')).classifyCommand,
  },
  {
    name: 'plan',
    summary: 'shows how each layer of a quantised net runs on integer codes, or why it does not',
    load: async () => (await import('./commands/plan.js')).planCommand,
  },
  {
    name: 'verify',
    summary: 'compares the integer engine with the float simulation, code by code, or with the definitions',
    load: async () => (await import('./commands/verify.js')).verifyCommand,
  },
  {
    name: 'devices',
    summary: 'what this machine can run on: CPU, instruction sets, GPUs, and why none',
    load: async () => (await import('./commands/devices.js')).devicesCommand,
  },
  convertImagesetRow,
  computeImageMeanRow,
  {
    name: 'split_database',
    summary: 'deals the records of an LMDB out to two: one to train on, one to measure on',
    load: async () => (await import('./commands/split-database.js')).splitDatabaseCommand,
  },
  {
    name: 'draw_imageset',
    summary: 'draws images of letters to train and to measure on, where no data is at hand',
    load: async () => (await import('./commands/draw-imageset.js')).drawImagesetCommand,
  },
  {
    name: 'fetch',
    summary: 'downloads a net as its authors publish it, and checks that it is that one',
    load: async () => (await import('./commands/fetch.js')).fetchCommand,
  },
  {
    name: 'convert deep_compression',
    summary: 'decodes a file of the Deep Compression release of SqueezeNet to a caffemodel',
    load: async () => (await import('./commands/convert/deep-compression.js')).convertDeepCompressionCommand,
  },
  {
    name: 'bench kernels',
    summary: "times every kernel against the machine's own best, after a check against the definition",
    load: async () => (await import('./commands/bench/kernels.js')).benchKernelsCommand,
  },
  {
    name: 'bench model',
    summary: 'times the passes of a net, float, simulated or on integer codes',
    load: async () => (await import('./commands/bench/model.js')).benchModelCommand,
  },
  {
    name: 'completion',
    summary: 'prints a script that completes commands and flags in bash, zsh or fish',
    load: async () => (await import('./commands/completion.js')).completionCommand,
  },
];

import type { CommandRow } from './command.js';

/** The commands of `caffe`, one row each. */
export const caffeCommands: readonly CommandRow[] = [
  {
    name: 'train',
    summary: 'trains a net, or fine-tunes a trained or quantised one',
    load: async () => (await import('./commands/train.js')).trainCommand,
  },
  {
    name: 'test',
    summary: 'scores a net, float or quantised',
    load: async () => (await import('./commands/test.js')).testCommand,
  },
  {
    name: 'device_query',
    summary: 'what this machine can run on',
    load: async () => (await import('./commands/device-query.js')).deviceQueryCommand,
  },
  {
    name: 'time',
    summary: 'times the forward and the backward pass of a net, layer by layer',
    load: async () => (await import('./commands/time.js')).timeCommand,
  },
  {
    name: 'completion',
    summary: 'prints a script that completes commands and flags in bash, zsh or fish',
    load: async () => (await import('./commands/completion.js')).completionCommand,
  },
];

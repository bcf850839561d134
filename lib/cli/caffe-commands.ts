import type { Command } from './command.js';
import { deviceQueryCommand } from './commands/device-query.js';
import { testCommand } from './commands/test.js';
import { timeCommand } from './commands/time.js';
import { trainCommand } from './commands/train.js';

/** The commands of `caffe`, one row each. */
export const caffeCommands: readonly Command[] = [trainCommand, testCommand, deviceQueryCommand, timeCommand];

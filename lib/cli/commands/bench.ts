import type { Command } from '../command.js';
import { benchKernelsCommand } from './bench/kernels.js';
import { benchModelCommand } from './bench/model.js';

/** What `ristretto bench` measures, a file each. */
export const benchCommands: readonly Command[] = [benchKernelsCommand, benchModelCommand];

import type { Command } from './command.js';
import { benchCommands } from './commands/bench.js';
import { classifyCommand } from './commands/classify.js';
import { computeImageMeanCommand } from './commands/compute-image-mean.js';
import { convertCommands } from './commands/convert.js';
import { convertImagesetCommand } from './commands/convert-imageset.js';
import { devicesCommand } from './commands/devices.js';
import { drawImagesetCommand } from './commands/draw-imageset.js';
import { fetchCommand } from './commands/fetch.js';
import { planCommand } from './commands/plan.js';
import { quantizeCommand } from './commands/quantize.js';
import { splitDatabaseCommand } from './commands/split-database.js';
import { verifyCommand } from './commands/verify.js';

/** The commands of `ristretto`, one row each. */
export const ristrettoCommands: readonly Command[] = [
  quantizeCommand,
  classifyCommand,
  planCommand,
  verifyCommand,
  devicesCommand,
  convertImagesetCommand,
  computeImageMeanCommand,
  splitDatabaseCommand,
  drawImagesetCommand,
  fetchCommand,
  ...convertCommands,
  ...benchCommands,
];

import { benchCommands } from './commands/bench.js';
import { classifyCommand } from './commands/classify.js';
import { computeImageMeanCommand } from './commands/compute-image-mean.js';
import { convertImagesetCommand } from './commands/convert-imageset.js';
import { quantizeCommand } from './commands/quantize.js';
import { runProgram } from './program.js';

await runProgram('ristretto', [
  quantizeCommand,
  classifyCommand,
  convertImagesetCommand,
  computeImageMeanCommand,
  ...benchCommands,
]);

import { quantizeCommand } from './commands/quantize.js';
import { runProgram } from './program.js';

await runProgram('ristretto', [quantizeCommand]);

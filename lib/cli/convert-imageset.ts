import { convertImagesetCommand } from './commands/convert-imageset.js';
import { runProgram } from './program.js';

await runProgram('convert_imageset', convertImagesetCommand);

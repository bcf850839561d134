import { runProgram } from './program.js';
import { convertImagesetRow } from './ristretto-commands.js';

await runProgram('convert_imageset', convertImagesetRow);

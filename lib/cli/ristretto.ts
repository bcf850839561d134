import { ristrettoCommands } from './ristretto-commands.js';
import { runProgram } from './program.js';

await runProgram('ristretto', ristrettoCommands);

import { caffeCommands } from './caffe-commands.js';
import { runProgram } from './program.js';

await runProgram('caffe', caffeCommands);

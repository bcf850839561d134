import { deviceQueryCommand } from './commands/device-query.js';
import { testCommand } from './commands/test.js';
import { timeCommand } from './commands/time.js';
import { trainCommand } from './commands/train.js';
import { runProgram } from './program.js';

await runProgram('caffe', [trainCommand, testCommand, deviceQueryCommand, timeCommand]);

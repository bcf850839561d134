import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { describeMachine, machineLines } from '../machine.js';

export const devicesCommand = command({
  options: {},
  async run({ values, output }) {
    const machine = describeMachine();
    output.print(machineLines(machine).join('\n'));
    if (values.json) writeFileAtomic(values.json, JSON.stringify(machine, null, 2) + '\n');
    return 0;
  },
});

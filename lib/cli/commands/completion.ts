import { UsageError } from '../../errors/index.js';
import { command } from '../command.js';
import { completionScript, shells, type Shell } from '../completion.js';

export const completionCommand = command({
  options: {},
  arguments: [{ name: 'SHELL', help: shells.join(', ') }],
  async run({ positional: [shell], output, program, commands }) {
    if (!shells.includes(shell as Shell))
      throw new UsageError(`'${shell}' is not one of ${shells.join(', ')}`, { field: 'SHELL' });
    output.answer(await completionScript(shell as Shell, program, commands));
  },
});

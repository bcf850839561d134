import type { Command } from './command.js';
import type { OptionRow } from './options.js';

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join('\n' + indent);
}

function flag(name: string, row: OptionRow): string {
  const value =
    row.kind === 'boolean'
      ? ''
      : `=${row.value ?? (row.choices ? row.choices.join('|') : row.kind === 'string' ? 'TEXT' : 'N')}`;
  return `  --${name}${value}`;
}

/** The flags and arguments of one command. */
export function commandHelp(program: string, command: Command, single: boolean): string {
  const places = (command.arguments ?? []).map(({ name, optional }) => (optional ? `[${name}]` : name));
  const usage = ['usage:', program, ...(single ? [] : [command.name]), '[flags]', ...places].join(' ');
  const rows = [
    ...(command.arguments ?? []).map(({ name, help }) => [`  ${name}`, help] as const),
    ...Object.entries(command.options).map(([name, row]) => {
      const note = row.required
        ? ' (required)'
        : row.default !== undefined && row.default !== false
          ? ` (${row.default})`
          : '';
      return [flag(name, row), row.help + note] as const;
    }),
  ];
  const column = 30;
  const text = rows.map(([left, right]) => {
    const gap = left.length < column - 1 ? left.padEnd(column) : left + '\n' + ' '.repeat(column);
    return gap + wrap(right, 78, ' '.repeat(column));
  });
  return `${usage}\n\n${command.summary}\n\n${text.join('\n')}\n\nFlags are taken as --flag=value, --flag value and -flag value.\n`;
}

/** The commands of a program. */
export function programHelp(program: string, commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: ${program} <command> [flags]\n\ncommands:\n${rows.join('\n')}\n\n${program} <command> --help lists a command's flags.\n`;
}

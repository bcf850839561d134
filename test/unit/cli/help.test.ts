import { describe, expect, it } from 'vitest';
import { caffeCommands } from '../../../lib/cli/caffe-commands.js';
import { readCommandLine } from '../../../lib/cli/command-line.js';
import { ristrettoCommands } from '../../../lib/cli/ristretto-commands.js';
import { formatBytes, formatSeconds, layoutTable, progressBar } from '../../../lib/cli/table.js';

/** What is printed where a text, not a command, was asked for. */
async function textOf(program: string, ...argv: string[]): Promise<string> {
  const rows = program === 'caffe' ? caffeCommands : ristrettoCommands;
  const line = await readCommandLine(program, rows, argv);
  return line.kind === 'text' ? line.text : '';
}

describe('help', () => {
  it('lists every command of a program', async () => {
    const text = await textOf('ristretto', '--help');
    for (const { name } of ristrettoCommands) expect(text).toContain(`  ${name.split(' ')[0]} `);
    expect(await textOf('ristretto')).toBe(text);
    expect(await textOf('ristretto', 'bench', '--help')).toMatch(/kernels .*model /s);
  });

  it('is of no command that is not there', async () => {
    await expect(textOf('caffe', 'help', 'nix')).rejects.toThrow('unknown action: nix');
    expect(await textOf('ristretto', 'help', 'bench')).toMatch(/kernels .*model /s);
    expect(await textOf('ristretto', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('lists every flag of a command within the width of a terminal, however it is asked for', async () => {
    for (const [program, rows] of [
      ['ristretto', ristrettoCommands],
      ['caffe', caffeCommands],
    ] as const)
      for (const { name, load } of rows) {
        const text = await textOf(program, ...name.split(' '), '--help');
        for (const flag of Object.keys((await load()).options)) expect(text).toContain(`--${flag}`);
        for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(110);
        expect(await textOf(program, '-h', ...name.split(' '))).toBe(text);
        expect(await textOf(program, 'help', ...name.split(' '))).toBe(text);
      }
  });
});

describe('tables', () => {
  it('lays out columns', () => {
    expect(
      layoutTable(
        ['a', 'number'],
        [
          ['x', '1'],
          ['long', '23'],
        ],
        [1],
      ),
    ).toBe('a     number\n----  ------\nx          1\nlong      23\n');
  });

  it('draws bars, bytes and seconds', () => {
    expect(progressBar(1, 4, 8)).toBe('[##------]');
    expect(progressBar(9, 4, 4)).toBe('[####]');
    expect(formatBytes(4990408)).toBe('4.99 MB');
    expect(formatBytes(12)).toBe('12 B');
    expect(formatSeconds(83.4)).toBe('1 min 23 s');
    expect(formatSeconds(3.21)).toBe('3.2 s');
    expect(formatSeconds(3725)).toBe('1 h 2 min');
  });
});

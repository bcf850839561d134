import { describe, expect, it } from 'vitest';
import { quantizeCommand } from '../../../lib/cli/commands/quantize.js';
import { commandHelp, programHelp } from '../../../lib/cli/help.js';
import { formatBytes, formatSeconds, layoutTable, progressBar } from '../../../lib/cli/table.js';

describe('help', () => {
  it('lists every flag of a command within the width of a terminal', () => {
    const text = commandHelp('ristretto', quantizeCommand, false);
    for (const name of Object.keys(quantizeCommand.options)) expect(text).toContain(`--${name}`);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(110);
    expect(programHelp('ristretto', [quantizeCommand])).toContain('quantize');
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

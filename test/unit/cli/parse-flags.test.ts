import { describe, expect, it } from 'vitest';
import { checkRequired, parseFlags } from '../../../lib/cli/parse-flags.js';
import type { OptionTable } from '../../../lib/cli/options.js';

const table = {
  model: { kind: 'string', help: '', required: 'Need a model' },
  iterations: { kind: 'integer', min: 1, default: 50, help: '' },
  error_margin: { kind: 'number', default: 2, help: '' },
  shuffle: { kind: 'boolean', default: true, help: '' },
  gpu: { kind: 'string', help: '' },
  mode: { kind: 'choice', choices: ['minifloat', 'fixed'], help: '' },
} as const satisfies OptionTable;

describe('parseFlags', () => {
  it.each([
    [['--model=a b', '--iterations=7']],
    [['--model', 'a b', '--iterations', '7']],
    [['-model', 'a b', '-iterations', '7']],
    [['-model=a b', '-iterations=7']],
    [['--iterations=3', '--iterations=7', '--model=x', '--model=a b']],
  ])('takes %j', (args) => {
    const { values, positional } = parseFlags(args, table);
    expect(values).toMatchObject({ model: 'a b', iterations: 7, error_margin: 2, shuffle: true });
    expect(positional).toEqual([]);
  });

  it('takes booleans in every form', () => {
    for (const [arg, value] of [
      ['--shuffle', true],
      ['--shuffle=false', false],
      ['--shuffle=0', false],
      ['--noshuffle', false],
      ['--no-shuffle', false],
      ['-noshuffle', false],
    ] as const)
      expect(parseFlags([arg], table).values.shuffle, arg).toBe(value);
    expect(() => parseFlags(['--shuffle=maybe'], table)).toThrow('neither true nor false');
  });

  it('takes hyphens for underscores, negative numbers, positionals and --', () => {
    const { values, positional } = parseFlags(
      ['first', '--error-margin', '-1.5', '-', '--', '--gpu=0'],
      table,
    );
    expect(values.error_margin).toBe(-1.5);
    expect(values.gpu).toBeUndefined();
    expect(positional).toEqual(['first', '-', '--gpu=0']);
  });

  it('ignores the flags of glog, with or without a value', () => {
    const { values, positional } = parseFlags(
      ['--logtostderr', 'test', '--minloglevel=2', '--v', '3', '--nologtostderr', '--model=m'],
      table,
    );
    expect(values.model).toBe('m');
    expect(positional).toEqual(['test']);
  });

  it.each([
    [['--itertions=1'], 'unknown flag --itertions; did you mean --iterations?'],
    [['--zzzzzz'], 'unknown flag --zzzzzz; --help'],
    [['--model'], '--model needs a value'],
    [['--model', '--gpu=0'], '--model needs a value'],
    [['--iterations=1.5'], 'not an integer'],
    [['--iterations='], 'not an integer'],
    [['--iterations=0'], 'at least 1'],
    [['--error_margin=x'], 'not a number'],
    [['--mode=minifloatt'], 'did you mean minifloat?'],
  ])('refuses %j', (args, message) => {
    expect(() => parseFlags(args, table)).toThrow(message);
  });

  it('takes an empty string for a flag that was not given, as scripts with unset variables need', () => {
    expect(parseFlags(['--gpu='], table).values.gpu).toBeUndefined();
    const { values } = parseFlags(['--model='], table);
    expect(() => checkRequired(values, table)).toThrow('Need a model (--model)');
  });
});

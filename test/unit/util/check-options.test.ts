import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../lib/errors/index.js';
import { onWarning } from '../../../lib/util/warnings.js';
import {
  abortSignal,
  anyOf,
  checkArgument,
  checkOptions,
  finite,
  flag,
  listOf,
  oneOf,
  path,
  record,
  required,
  shown,
  whole,
  type OptionKinds,
} from '../../../lib/util/check-options.js';

interface Options {
  model: string;
  iterations?: number;
  engine?: string;
  signal?: AbortSignal;
}

const kinds: OptionKinds<Options> = {
  model: required(path),
  iterations: whole(1, 1024),
  engine: oneOf('auto', 'simulate'),
  signal: abortSignal,
};

const message = (options: unknown) => {
  try {
    checkOptions('work', options, kinds);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
};

describe('options', () => {
  it('of their kinds are taken, and undefined is left out', () => {
    expect(message({ model: 'a' })).toBe(null);
    expect(message({ model: 'a', iterations: 1024, engine: 'auto', signal: AbortSignal.abort() })).toBe(null);
    expect(message({ model: 'a', iterations: undefined, mode: undefined })).toBe(null);
  });

  it.each<[unknown, string]>([
    [undefined, 'work takes an object of options, not undefined'],
    [null, 'work takes an object of options, not null'],
    ['a', "work takes an object of options, not 'a'"],
    [[], 'work takes an object of options, not an empty list'],
    [{}, 'model: work needs a path'],
    [{ model: '' }, "model: work takes a path, not ''"],
    [{ model: null }, 'model: work takes a path, not null'],
    [{ model: new Map() }, 'model: work takes a path, not a Map'],
    [{ model: 'a', iterations: 1.5 }, 'iterations: work takes a whole number from 1 to 1024, not 1.5'],
    [{ model: 'a', iterations: '2' }, "iterations: work takes a whole number from 1 to 1024, not '2'"],
    [{ model: 'a', engine: 'fast' }, "engine: work takes one of 'auto', 'simulate', not 'fast'"],
    [{ model: 'a', signal: 5 }, 'signal: work takes an AbortSignal, not 5'],
    [{ mdoel: 'a' }, "mdoel: work has no option 'mdoel'; did you mean 'model'?"],
  ])('%o: %s', (options, said) => {
    expect(message(options)).toBe(said);
  });

  it('that are unknown and no slip are warned of once: an object may be shared between functions', () => {
    const told: string[] = [];
    onWarning((text) => told.push(text));
    for (let i = 0; i < 2; i++) expect(message({ model: 'a', color: 1 })).toBe(null);
    expect(told).toEqual(["work ignores 'color', which is not one of its options"]);
  });

  it('may be one thing or another, lists, and records', () => {
    const check = (value: unknown) => () =>
      checkArgument('work', 'x', value, anyOf(listOf(finite), record({ on: required(flag), n: whole(0) })));
    for (const value of [[], [1, 2], { on: true }, { on: false, n: 3 }, undefined])
      expect(check(value)).not.toThrow();
    for (const value of [[NaN], ['1'], {}, { on: 1 }, { on: true, n: -1 }, { on: true, m: 1 }, 7])
      expect(check(value)).toThrow(UsageError);
    expect(check(7)).toThrow(
      'x: work takes a list, each entry a finite number, or { on: true or false, n: a whole number of at least 0 }, not 7',
    );
  });
});

it('shows values that have no text of their own', () => {
  expect([Symbol('s'), Object.create(null), 10n, () => 1, 'x'.repeat(99)].map(shown)).toEqual([
    'Symbol(s)',
    'this object',
    '10',
    'a function',
    `'${'x'.repeat(60)}…'`,
  ]);
});

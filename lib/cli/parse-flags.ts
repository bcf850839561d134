import { UsageError } from '../errors/index.js';
import { ignoredFlags, type OptionRow, type OptionTable, type ValuesOf } from './options.js';
import { nearest } from '../util/nearest.js';

export interface Parsed<T extends OptionTable> {
  values: ValuesOf<T>;
  positional: string[];
}

const TRUE = new Set(['true', 't', 'yes', 'y', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', '0']);

/**
 * Parses flags as gflags does: `--flag=value`, `--flag value`, one dash or two, `--noflag` for booleans,
 * hyphens and underscores alike, the last of a repeated flag wins, `--` ends the flags.
 */
export function parseFlags<const T extends OptionTable>(args: readonly string[], table: T): Parsed<T> {
  const values: Record<string, string | number | boolean> = {};
  const positional: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--') {
      positional.push(...args.slice(i + 1));
      break;
    }
    if (!/^--?[A-Za-z]/.test(arg)) {
      positional.push(arg);
      continue;
    }
    const [, written, assigned] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(arg)!;
    const name = written.replaceAll('-', '_');
    const row = rowOf(table, name);
    const negated = !row && /^no_?/.test(name) ? rowOf(table, name.replace(/^no_?/, '')) : null;
    if (negated?.kind === 'boolean') {
      if (assigned !== undefined) throw new UsageError(`flag --${written} takes no value`);
      values[name.replace(/^no_?/, '')] = false;
      continue;
    }
    if (!row) {
      if (ignoredFlags.has(name.replace(/^no(?=[a-z])/, '')) || ignoredFlags.has(name)) {
        // A value of its own, where it can only be one.
        if (assigned === undefined && !/stderr$/.test(name) && args[i + 1]?.match(/^[^-]/)) i++;
        continue;
      }
      const near = nearest(name, Object.keys(table));
      throw new UsageError(
        `unknown flag --${written}` + (near ? `; did you mean --${near}?` : '; --help lists the flags'),
      );
    }
    if (row.kind === 'boolean') {
      values[name] = assigned === undefined ? true : booleanOf(name, assigned);
      continue;
    }
    let text = assigned;
    if (text === undefined) {
      // gflags takes the next argument whatever it looks like; one that is itself a known flag is a slip.
      const next = args[i + 1];
      const nextName = /^--?([A-Za-z][^=]*)/.exec(next ?? '')?.[1].replaceAll('-', '_');
      if (next === undefined || (nextName !== undefined && rowOf(table, nextName)))
        throw new UsageError(`flag --${written} needs a value`);
      text = next;
      i++;
    }
    values[name] = valueOf(name, row, text);
  }
  for (const [name, row] of Object.entries(table) as [string, OptionRow][]) {
    if (row.default !== undefined) values[name] ??= row.default;
    if (values[name] === '' && row.kind === 'string') delete values[name];
  }
  return { values: values as unknown as ValuesOf<T>, positional };
}

/** Throws for the first required flag that was not given. */
export function checkRequired(values: Record<string, unknown>, table: OptionTable): void {
  for (const [name, row] of Object.entries(table))
    if (row.required && values[name] === undefined) throw new UsageError(`${row.required} (--${name})`);
}

function rowOf(table: OptionTable, name: string): OptionRow | null {
  return Object.hasOwn(table, name) ? table[name] : null;
}

function booleanOf(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  if (TRUE.has(lower)) return true;
  if (FALSE.has(lower)) return false;
  throw new UsageError(`flag --${name}: '${text}' is neither true nor false`);
}

function valueOf(name: string, row: OptionRow, text: string): string | number {
  switch (row.kind) {
    case 'string':
      return text;
    case 'choice': {
      if (row.choices!.includes(text)) return text;
      const near = nearest(text, row.choices!);
      throw new UsageError(
        `flag --${name}: '${text}' is not one of ${row.choices!.join(', ')}` +
          (near ? `; did you mean ${near}?` : ''),
      );
    }
    default: {
      const value = Number(text);
      const what = row.kind === 'integer' ? 'an integer' : 'a number';
      if (
        text.trim() === '' ||
        !Number.isFinite(value) ||
        (row.kind === 'integer' && !Number.isInteger(value))
      )
        throw new UsageError(`flag --${name}: '${text}' is not ${what}`);
      if ((row.min !== undefined && value < row.min) || (row.max !== undefined && value > row.max)) {
        const range = row.max === undefined ? `at least ${row.min}` : `${row.min} to ${row.max}`;
        throw new UsageError(`flag --${name}: ${text} is out of range (${range})`);
      }
      return value;
    }
  }
}

import { Argument, Command as Commander, CommanderError, Option } from 'commander';
import { UsageError } from '../errors/index.js';
import { nearest } from '../util/nearest.js';
import { fromGflags } from './gflags.js';
import type { ArgumentRow, OptionRow, OptionTable, ValuesOf } from './options.js';

export interface Parsed<T extends OptionTable> {
  values: ValuesOf<T>;
  positional: string[];
}

/** What the help calls a flag's value. */
export const valueName = ({ kind, value }: OptionRow): string =>
  value ?? { string: 'TEXT', choice: 'NAME', integer: 'N', number: 'X', boolean: '' }[kind];

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

/** A row of a table as commander knows options. */
function optionOf(name: string, row: OptionRow): Option {
  const help = row.help + (row.required ? ' (required)' : '');
  const option = new Option(row.kind === 'boolean' ? `--${name}` : `--${name} <${valueName(row)}>`, help);
  // That a switch is off is not worth a word in the help.
  if (row.default !== false) option.default(row.default);
  if (row.choices) option.choices(row.choices);
  return row.kind === 'boolean' ? option : option.argParser((text) => valueOf(name, row, text));
}

/** Gives a commander command the flags and arguments of tables. */
export function addFlags(
  commander: Commander,
  table: OptionTable,
  places: readonly ArgumentRow[] = [],
): Commander {
  for (const [name, row] of Object.entries(table)) {
    commander.addOption(optionOf(name, row));
    if (row.kind === 'boolean') {
      const off = new Option(`--no-${name}`, 'the contrary');
      commander.addOption(row.default === true ? off : off.hideHelp());
    }
  }
  for (const { name, help, optional } of places)
    commander.addArgument(new Argument(optional ? `[${name}]` : `<${name}>`, help));
  return commander.allowExcessArguments(false);
}

/** The values of a command that was parsed. An empty text is none, as scripts with unset variables need. */
export function valuesOf<T extends OptionTable>(commander: Commander, table: T): ValuesOf<T> {
  const values = { ...commander.opts<Record<string, unknown>>() };
  for (const [name, row] of Object.entries(table) as [string, OptionRow][]) {
    if (row.default === false) values[name] ??= false;
    if (values[name] === '' && row.kind === 'string') delete values[name];
  }
  return values as ValuesOf<T>;
}

/** What commander says is wrong, in the words of the original's programs. */
export function usageError({ message, cause = message }: CommanderError): UsageError {
  const [, text, near] = /^error: (.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(message) ?? ['', message];
  const said = text
    .replace(/^unknown option '(--[^=']*).*'$/s, 'unknown flag $1')
    .replace(/^unknown command '(.*)'$/s, 'unknown action: $1');
  const cure = near ? `; did you mean ${near}?` : said === text ? '' : '; --help lists what there is';
  return new UsageError(said + cure, { cause });
}

/** Throws for the first required flag that was not given. */
export function checkRequired(values: Record<string, unknown>, table: OptionTable): void {
  for (const [name, row] of Object.entries(table))
    if (row.required && values[name] === undefined) throw new UsageError(`${row.required} (--${name})`);
}

/** Parses flags by a table, in the dialect of gflags too. */
export function parseFlags<const T extends OptionTable>(
  args: readonly string[],
  table: T,
  places: readonly ArgumentRow[] = [{ name: 'ARGUMENTS...', help: '', optional: true }],
): Parsed<T> {
  const commander = addFlags(new Commander().exitOverride(), table, places).helpOption(false);
  commander.configureOutput({ writeErr: () => {} });
  try {
    commander.parse(fromGflags(args, table), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw usageError(error);
    throw error;
  }
  return { values: valuesOf(commander, table), positional: commander.args };
}

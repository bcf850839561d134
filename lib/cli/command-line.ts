import { Command as Commander, CommanderError } from 'commander';
import { packageVersion } from '../util/version.js';
import type { Command, CommandRow, GivenValues } from './command.js';
import { fromGflags } from './gflags.js';
import { commonOptions, type OptionTable } from './options.js';
import { addFlags, usageError, valuesOf } from './parse-flags.js';

/** What a command line asks for: a command with its flags, or a text (the help, the version). */
export type CommandLine =
  | { kind: 'run'; command: Command; table: OptionTable; given: GivenValues }
  | { kind: 'text'; text: string; asked: boolean };

const wordsOf = ({ name }: CommandRow): string[] => name.split(' ');
const normal = (word: string): string => word.replaceAll('-', '_');

/** Where the words of a command stand among the arguments: flags may come first, as gflags allows. */
function find(rows: readonly CommandRow[], argv: readonly string[]): [CommandRow, string[]] | null {
  for (const at of argv.keys()) {
    const row = rows.find((candidate) =>
      wordsOf(candidate).every((word, i) => normal(argv[at + i] ?? '') === normal(word)),
    );
    if (row) return [row, argv.filter((_, i) => i < at || i >= at + wordsOf(row).length)];
  }
  return null;
}

/** What groups of commands are for, in the help. */
const groups: Record<string, string> = {
  bench: 'measures kernels and nets',
  convert: "makes nets of other formats' files",
};

const withVersion = (commander: Commander): Commander =>
  commander.version(packageVersion(), '--version', 'the version of this package');

/** A program of several commands; only one has its flags loaded. */
function treeOf(program: string, rows: readonly CommandRow[]): [Commander, Map<CommandRow, Commander>] {
  const root = withVersion(new Commander(program));
  const made = new Map<string, Commander>([['', root]]);
  const leaves = new Map<CommandRow, Commander>();
  for (const row of rows) {
    const [first, second] = wordsOf(row);
    if (second && !made.has(first)) made.set(first, root.command(first).description(groups[first] ?? ''));
    const leaf = made.get(second ? first : '')!.command(second ?? first);
    leaves.set(row, leaf.summary(row.summary).description(row.summary));
  }
  return [root, leaves];
}

/**
 * Reads a command line: `rows` are a program's commands, or one command that is not named. Throws UsageError where it
 * is wrong.
 */
export async function readCommandLine(
  program: string,
  rows: readonly CommandRow[] | CommandRow,
  argv: readonly string[],
): Promise<CommandLine> {
  const single = 'load' in rows ? rows : null;
  // `ristretto help quantize`; what is no command goes on as one, and is told.
  if (argv[0] === 'help' && argv.length > 1 && !single) {
    const known = find(rows as readonly CommandRow[], argv.slice(1)) ?? groups[argv[1]];
    return readCommandLine(program, rows, [...argv.slice(1), ...(known ? ['--help'] : [])]);
  }
  const [root, leaves] = single
    ? [withVersion(new Commander(program)).description(single.summary), new Map<CommandRow, Commander>()]
    : treeOf(program, rows as readonly CommandRow[]);
  const [row, args] = (single ? [single, argv] : find(rows as readonly CommandRow[], argv)) ?? [null, argv];
  const leaf = row ? (leaves.get(row) ?? root) : root;
  let command: Command | null = null;
  let table: OptionTable = {};
  let line = [...args];
  if (row) {
    command = await row.load();
    table = { ...command.options, ...commonOptions };
    addFlags(leaf, table, command.arguments).action(() => {});
    leaf.addHelpText('after', '\nFlags are taken as --flag=value, --flag value and -flag value.');
    const help = args.some((arg) => /^--?h(elp)?$/.test(arg)) ? ['--help'] : [];
    line = [...(single ? [] : wordsOf(row)), ...help, ...fromGflags(args, table)];
  }
  let text = '';
  const take = (more: string) => (text += more);
  for (const each of [root, ...root.commands, ...leaves.values()])
    each
      .exitOverride()
      .configureOutput({ writeOut: take, writeErr: take, outputError: () => {} })
      .helpOption('-h, --help', 'this text')
      .configureHelp({ showGlobalOptions: false });
  if (!single) root.helpCommand('help [COMMAND]', "a command's flags");
  try {
    await root.parseAsync(line, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (/^commander\.(help|helpDisplayed|version)$/.test(error.code))
      return { kind: 'text', text, asked: error.code !== 'commander.help' };
    throw usageError(error);
  }
  return {
    kind: 'run',
    command: command!,
    table,
    given: { values: valuesOf(leaf, table) as GivenValues['values'], positional: leaf.args },
  };
}

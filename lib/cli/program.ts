import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { UsageError } from '../errors/index.js';
import type { Command, CommandContext, CommandRow } from './command.js';
import { readCommandLine } from './command-line.js';
import { errorLine, stackOf, type GivenText } from './error-line.js';
import { commonOptions, type OptionTable } from './options.js';
import { Interrupts } from './interrupts.js';
import { Output, type LogMode } from './output.js';
import { checkRequired, parseFlags } from './parse-flags.js';
import { assertWritable, lockOutput, makeFolder, type OutputLock } from '../util/index.js';
import { surviveTerminal } from './terminal.js';
import { onWarning } from '../util/warnings.js';

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + the signal's number where one stopped it (Ctrl-C: 130). */
const FAILED = 1;
const WRONG_USAGE = 2;

/** How long open handles may keep a finished process from ending by itself. */
const GRACE_MILLISECONDS = 2000;

function logModeOf(argv: readonly string[]): LogMode | 'auto' {
  try {
    const flags = argv.flatMap((arg, i) =>
      /^--?log$/.test(arg) ? [arg, argv[i + 1] ?? ''] : /^--?log=/.test(arg) ? [arg] : [],
    );
    return parseFlags(flags, { log: commonOptions.log }).values.log;
  } catch {
    return 'auto';
  }
}

/** Refuses an argument that Node had to change, because it is not UTF-8: a file of another name would be meant. */
function checkUtf8(argv: readonly string[]): void {
  const changed = argv.find((arg) => arg.includes('\ufffd'));
  if (changed === undefined) return;
  try {
    if (isUtf8(readFileSync('/proc/self/cmdline'))) return;
  } catch {
    // Only Linux tells; where it does not, the character is no sensible part of a name either.
  }
  throw new UsageError(`'${changed}' is not UTF-8: rename the file, or reach it by a link`);
}

/** What the help calls the values of flags that name files. */
const FILES = /FILE|PATH|NETS|URL/;

/** The flags and arguments that name files. */
function givenFiles(
  values: Readonly<Record<string, unknown>>,
  positional: readonly string[],
  { arguments: places = [] }: Command,
  table: OptionTable,
): GivenText[] {
  const flags = Object.entries(table).flatMap(([name, { kind, value = '' }]) => {
    const text = values[name];
    return kind === 'string' && FILES.test(value) && typeof text === 'string' && name !== 'json'
      ? [{ name: `--${name}`, text }]
      : [];
  });
  const json = typeof values.json === 'string' ? [{ name: '--json', text: values.json }] : [];
  return [...flags, ...positional.map((text, i) => ({ name: places[i]?.name ?? 'argument', text })), ...json];
}

/** Runs what a command line asks for; gives the exit code. Nothing is thrown, and the process goes on. */
export async function execute(
  program: string,
  commands: readonly CommandRow[] | CommandRow,
  argv: readonly string[],
): Promise<number> {
  const output = new Output(logModeOf(argv), program);
  onWarning((message) => output.warn(message));
  const interrupts = new Interrupts(output);
  let given: GivenText[] = [];
  let json: OutputLock | null = null;
  let removeEmptyFolder = () => {};
  try {
    checkUtf8(argv);
    const line = await readCommandLine(program, commands, argv);
    if (line.kind === 'text') {
      output.answer(line.text);
      return line.asked ? 0 : WRONG_USAGE;
    }
    const { command, table } = line;
    const { values, positional } = line.given;
    checkRequired(values, table);
    given = givenFiles(values, positional, command, table);
    const folder = command.folder?.({ values, positional } as CommandContext);
    // It may lie in the folder that is not made yet.
    if (typeof values.json === 'string' && folder === undefined) assertWritable(values.json);
    // Loaded with the command, not with the program: the help and the version need nothing of it.
    const { checkFiles } = await import('./command-files.js');
    await checkFiles(command, table, values, positional);
    if (folder !== undefined) removeEmptyFolder = makeFolder(folder);
    if (typeof values.json === 'string') {
      assertWritable(values.json);
      json = lockOutput(values.json);
    }
    const { signal } = interrupts;
    return (
      (await command.run({
        values,
        positional,
        output,
        signal,
        interrupts,
        program,
        commands: 'load' in commands ? [commands] : commands,
      } as CommandContext)) ?? 0
    );
  } catch (error) {
    output.status([]);
    const received = interrupts.received;
    if (received) {
      if ((error as Error)?.message !== 'stopped') output.error(errorLine(error, given));
      return 128 + constants.signals[received];
    }
    output.error(errorLine(error, given));
    const stack = stackOf(error);
    if (stack) output.error(stack);
    return error instanceof UsageError ? WRONG_USAGE : FAILED;
  } finally {
    interrupts.close();
    json?.release();
    removeEmptyFolder();
  }
}

/** Runs a program, of several commands or of a single one that is not named, to the process's exit code. */
export async function runProgram(
  program: string,
  commands: readonly CommandRow[] | CommandRow,
): Promise<void> {
  // A reader that went away (`| head`) is no failure of ours; nor is a terminal (EIO), whose SIGHUP is on its way.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EIO') return;
    if (error.code !== 'EPIPE')
      new Output('quiet', program).error(`standard output: ${errorLine(error, [])}`);
    process.exit(error.code === 'EPIPE' ? 0 : FAILED);
  });
  // What nobody waits for any more is told in one line too.
  process.on('uncaughtException', (error) => {
    const output = new Output('quiet', program);
    output.error(errorLine(error, []));
    const stack = stackOf(error);
    if (stack) output.error(stack);
    process.exit(FAILED);
  });
  // A log that nobody reads any more ends no run.
  process.stderr.on('error', () => {});
  surviveTerminal();
  process.exitCode = await execute(program, commands, process.argv.slice(2));
  setTimeout(() => process.exit(), GRACE_MILLISECONDS).unref();
}

import { constants } from 'node:os';
import { RistrettoError, UsageError } from '../errors/index.js';
import type { Command, CommandContext } from './command.js';
import { checkFiles } from './command-files.js';
import { commandHelp, programHelp } from './help.js';
import { commonOptions, type OptionTable } from './options.js';
import { Interrupts } from './interrupts.js';
import { Output, type LogMode } from './output.js';
import { checkRequired, parseFlags } from './parse-flags.js';
import { assertWritable, lockOutput, type OutputLock } from '../util/index.js';
import { surviveTerminal } from './terminal.js';
import { nearest } from '../util/nearest.js';
import { packageVersion } from '../util/version.js';
import { onWarning } from '../util/warnings.js';

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + the signal's number where one stopped it (Ctrl-C: 130). */
const FAILED = 1;
const WRONG_USAGE = 2;

/** How long open handles may keep a finished process from ending by itself. */
const GRACE_MILLISECONDS = 2000;

interface Choice {
  command: Command;
  args: string[];
}

/** Finds the command: flags may stand before it, as gflags allows. */
function choose(
  program: string,
  commands: readonly Command[],
  argv: readonly string[],
  output: Output,
): Choice | number {
  const normal = (name: string) => name.replaceAll('-', '_');
  // A name may have two words, `bench kernels`, which stand side by side.
  const words = ({ name }: Command) => name.split(' ');
  const standsAt = (command: Command, index: number) =>
    words(command).every((word, i) => normal(argv[index + i] ?? '') === normal(word));
  for (const index of argv.keys()) {
    const command = commands.find((candidate) => standsAt(candidate, index));
    if (!command) continue;
    return { command, args: argv.filter((_, i) => i < index || i >= index + words(command).length) };
  }
  const unknown = argv.find((arg) => !arg.startsWith('-'));
  if (unknown === undefined) {
    if (argv.some((arg) => /^--?version$/.test(arg))) {
      output.answer(`${packageVersion()}\n`);
      return 0;
    }
    output.answer(programHelp(program, commands));
    return argv.some((arg) => /^--?h(elp)?$/.test(arg)) ? 0 : WRONG_USAGE;
  }
  const names = commands.map(({ name }) => name);
  const kinds = commands.map(words).filter(([first, second]) => second && normal(first) === normal(unknown));
  if (kinds.length > 0) {
    output.error(`${unknown}: which one? ${kinds.map((kind) => kind.join(' ')).join(', ')}`);
    return WRONG_USAGE;
  }
  const near = nearest(unknown, names);
  output.error(
    `unknown action: ${unknown}` +
      (near ? `; did you mean ${near}?` : '') +
      `\nAvailable ${program} actions: ${names.join(', ')}`,
  );
  return WRONG_USAGE;
}

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

async function execute(
  program: string,
  commands: readonly Command[] | Command,
  argv: readonly string[],
): Promise<number> {
  const output = new Output(logModeOf(argv), program);
  onWarning((message) => output.warn(message));
  const single = 'run' in commands;
  const choice = single ? { command: commands, args: [...argv] } : choose(program, commands, argv, output);
  if (typeof choice === 'number') return choice;
  const { command } = choice;
  const interrupts = new Interrupts(output);
  let json: OutputLock | null = null;
  try {
    const table: OptionTable = { ...command.options, ...commonOptions };
    const { values, positional } = parseFlags(choice.args, table);
    if (values.help) {
      output.answer(commandHelp(program, { ...command, options: table }, single));
      return 0;
    }
    const places = command.arguments ?? [];
    const needed = places.filter(({ optional }) => !optional).length;
    if (positional.length > places.length)
      throw new UsageError(`'${positional[places.length]}' is one argument too many`);
    if (positional.length < needed)
      throw new UsageError(`${places[positional.length].name} is missing: ${places[positional.length].help}`);
    checkRequired(values, table);
    await checkFiles(command, table, values, positional);
    if (typeof values.json === 'string') {
      assertWritable(values.json);
      json = lockOutput(values.json);
    }
    const { signal } = interrupts;
    return (await command.run({ values, positional, output, signal, interrupts } as CommandContext)) ?? 0;
  } catch (error) {
    output.status([]);
    const received = interrupts.received;
    if (received) {
      if ((error as Error)?.message !== 'stopped') output.error((error as Error)?.message ?? String(error));
      return 128 + constants.signals[received];
    }
    if (error instanceof UsageError) {
      output.error(error.message);
      return WRONG_USAGE;
    }
    // An error of our own explains itself; anything else is a fault, and its place helps to mend it.
    output.error(
      error instanceof RistrettoError ? error.message : ((error as Error)?.stack ?? String(error)),
    );
    return FAILED;
  } finally {
    json?.release();
  }
}

/** Runs a program, of several commands or of a single one that is not named, to the process's exit code. */
export async function runProgram(program: string, commands: readonly Command[] | Command): Promise<void> {
  // A reader that went away (`| head`) is no failure of ours; nor is a terminal (EIO), whose SIGHUP is on its way.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EIO') process.exit(error.code === 'EPIPE' ? 0 : FAILED);
  });
  // A log that nobody reads any more ends no run.
  process.stderr.on('error', () => {});
  surviveTerminal();
  process.exitCode = await execute(program, commands, process.argv.slice(2));
  setTimeout(() => process.exit(), GRACE_MILLISECONDS).unref();
}

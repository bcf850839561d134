import type { Interrupts } from './interrupts.js';
import type { ArgumentRow, commonOptions, OptionTable, ValuesOf } from './options.js';
import type { Output } from './output.js';

/** What a command is given to run. */
export interface CommandContext<T extends OptionTable = OptionTable> {
  values: ValuesOf<T & typeof commonOptions>;
  positional: string[];
  output: Output;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** For a command that does something else on signals. */
  interrupts: Interrupts;
}

/** One command: a table of flags and what to do with them. `run` gives the exit code, 0 where it gives none. */
export interface Command<T extends OptionTable = OptionTable> {
  name: string;
  summary: string;
  options: T;
  arguments?: readonly ArgumentRow[];
  run(context: CommandContext<T>): Promise<number | void>;
}

/** Declares a command with the types of its flags, and forgets them for the list of commands. */
export function command<const T extends OptionTable>(definition: Command<T>): Command {
  return definition as unknown as Command;
}

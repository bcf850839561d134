import type { Interrupts } from './interrupts.js';
import type { ArgumentRow, commonOptions, OptionTable, ValuesOf } from './options.js';
import type { NamedPath } from '../util/index.js';
import type { Output } from './output.js';

/** What the command line says. */
export interface GivenValues<T extends OptionTable = OptionTable> {
  values: ValuesOf<T & typeof commonOptions>;
  positional: string[];
}

/** What a command is given to run. */
export interface CommandContext<T extends OptionTable = OptionTable> extends GivenValues<T> {
  output: Output;
  /** Aborted by Ctrl-C, SIGTERM and a terminal that goes away. */
  signal: AbortSignal;
  /** For a command that does something else on signals. */
  interrupts: Interrupts;
  /** The program that runs the command, and all of its commands. */
  program: string;
  commands: readonly CommandRow[];
}

/** What a command takes and does. `run` gives the exit code, 0 where it gives none. */
export interface Command<T extends OptionTable = OptionTable> {
  options: T;
  arguments?: readonly ArgumentRow[];
  /** Files that are written beside those that flags and arguments name. */
  outputs?(given: GivenValues<T>): readonly NamedPath[] | Promise<readonly NamedPath[]>;
  /** Files that are read beside those that flags, arguments and prototxts name. */
  inputs?(given: GivenValues<T>): readonly NamedPath[] | Promise<readonly NamedPath[]>;
  /** A folder that is made for what is written, and taken away again where nothing was. */
  folder?(given: GivenValues<T>): string;
  run(context: CommandContext<T>): Promise<number | void>;
}

/** Declares a command with the types of its flags, and forgets them for the list of commands. */
export function command<const T extends OptionTable>(definition: Command<T>): Command {
  return definition as unknown as Command;
}

/** A program's row for a command, whose file is loaded when the command is chosen or its help is asked for. */
export interface CommandRow {
  /** One word, or two: `bench kernels`. */
  name: string;
  summary: string;
  load(): Promise<Command>;
}

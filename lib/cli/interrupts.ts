import { constants } from 'node:os';
import { RistrettoError } from '../errors/index.js';
import type { Output } from './output.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Takes a signal; true where it was dealt with and the command goes on as it sees fit. */
export type SignalHandler = (signal: NodeJS.Signals) => boolean;

/**
 * Ctrl-C, SIGTERM and SIGHUP (the terminal went away): the first one aborts the command, which ends cleanly; a
 * second one ends the process at once, but for what is half written, which is removed. A command that does something
 * else with signals takes them itself.
 */
export class Interrupts {
  readonly #controller = new AbortController();
  #received: NodeJS.Signals | null = null;
  #handler: SignalHandler | null = null;

  constructor(private readonly output: Output) {
    for (const signal of SIGNALS) process.on(signal, this.#take);
  }

  /** Aborted by the first signal that no handler took. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that ended the command, where one did. */
  get received(): NodeJS.Signals | null {
    return this.#received;
  }

  /** Asks `handler` first from now on. */
  handle(handler: SignalHandler): void {
    this.#handler = handler;
  }

  /** Leaves signals to Node again. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#take);
  }

  readonly #take = (signal: NodeJS.Signals): void => {
    if (this.#received) process.exit(128 + constants.signals[signal]);
    if (this.#handler?.(signal)) return;
    this.#received = signal;
    this.output.status([]);
    this.output.warn(`${signal}: stopping; once more kills`);
    this.#controller.abort(new RistrettoError('stopped'));
  };
}

import { types } from 'node:util';

/** Whether a value is an Error, whichever realm (a context of node:vm, Electron) made it. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** Where an error arose: the file, the layer of a net, the field of a message. Each part is optional. */
export interface ErrorContext {
  file?: string;
  /** Line of the file, from 1. */
  line?: number;
  layer?: string;
  field?: string;
  cause?: unknown;
}

function describe(message: string, { file, line, layer, field }: ErrorContext): string {
  const place: string[] = [];
  if (file) place.push(line === undefined ? file : `${file}:${line}`);
  if (layer !== undefined) place.push(`layer '${layer}'`);
  if (field) place.push(field);
  return [...place, message].join(': ');
}

/** Base of every error that this package raises on purpose; `message` starts with the file, layer and field. */
export class RistrettoError extends Error {
  readonly file?: string;
  /** Line of the file, from 1. */
  readonly line?: number;
  readonly layer?: string;
  readonly field?: string;
  /** The message without the place. */
  readonly reason: string;

  constructor(message: string, context: ErrorContext = {}) {
    super(describe(message, context), context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.file = context.file;
    this.line = context.line;
    this.layer = context.layer;
    this.field = context.field;
    this.reason = message;
  }
}

/** A position in a file: line and column (both from 1) of a text, or the byte offset in a binary file. */
export interface FormatContext extends ErrorContext {
  column?: number;
  offset?: number;
}

/** The content of a file does not follow its format. */
export class FormatError extends RistrettoError {
  readonly column?: number;
  readonly offset?: number;

  constructor(message: string, context: FormatContext = {}) {
    const { file, line, column, offset } = context;
    let place = file ?? '';
    if (line !== undefined) place += `${place ? ':' : 'line '}${line}:${column ?? 1}`;
    else if (offset !== undefined) place += `${place ? ', ' : ''}byte ${offset}`;
    super(message, { ...context, line: undefined, file: place || undefined });
    Object.assign(this, { file, line });
    this.column = column;
    this.offset = offset;
  }
}

/** A net that cannot be built or run: a missing bottom, shapes that do not fit, weights of another net. */
export class NetError extends RistrettoError {}

/** Data that cannot be read or decoded: a missing database, a corrupt record. */
export class DataError extends RistrettoError {}

/** Wrong arguments from the caller or the command line. */
export class UsageError extends RistrettoError {}

/** What the machine could not give: memory, a thread, an open file. The data may be well. */
export class MachineError extends RistrettoError {}

/**
 * What the machine lacked when an operation of Node or of a library failed, in words; null where the error is of
 * another kind. Libraries tell by their messages alone.
 */
export function shortageOf(error: unknown): string | null {
  if (!isError(error)) return null;
  if (error instanceof MachineError) return error.reason;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE') return `too many files are open (${code})`;
  if (code === 'ENOMEM' || /out of memory|cannot allocate|bad_alloc/i.test(message))
    return 'there is no memory left';
  if (/thread.*(unavailable|EAGAIN)|creating thread/i.test(message))
    return 'no more threads can be started; a container or `ulimit -u` limits them';
  return null;
}

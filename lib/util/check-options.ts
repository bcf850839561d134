import { UsageError } from '../errors/index.js';
import { nearest } from './nearest.js';
import { warn } from './warnings.js';

/** What an argument or an option takes. */
export interface Kind {
  /** As it reads behind 'takes': 'a path'. */
  readonly is: string;
  accepts(value: unknown): boolean;
  /** Leaving it out is an error. */
  readonly required?: boolean;
}

/** The options of a function, each with what it takes; the compiler sees to it that none is missing. */
export type OptionKinds<T> = { readonly [K in keyof T]-?: Kind };

const kind = (is: string, accepts: (value: unknown) => boolean): Kind => ({ is, accepts });

export const text = kind('a string', (value) => typeof value === 'string');
export const path = kind('a path', (value) => typeof value === 'string' && value !== '');
export const flag = kind('true or false', (value) => typeof value === 'boolean');
export const callback = kind('a function', (value) => typeof value === 'function');
/** NaN and the infinities are numbers too. */
export const number = kind('a number', (value) => typeof value === 'number');
export const finite = kind('a finite number', (value) => Number.isFinite(value));

/** Looked at closer by the function itself. */
export const anything = kind('anything', () => true);

/** A whole number within bounds, both included. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): Kind {
  const bounds =
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`;
  return kind(
    bounds,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  );
}

export function oneOf<T extends string | number>(...values: readonly T[]): Kind {
  const names = values.map((value) => (typeof value === 'string' ? `'${value}'` : `${value}`));
  return kind(`one of ${names.join(', ')}`, (value) => values.includes(value as T));
}

export function exactly(wanted: unknown): Kind {
  return kind(String(wanted), (value) => value === wanted);
}

export function instanceOf(is: string, type: abstract new (...args: never[]) => unknown): Kind {
  return kind(is, (value) => value instanceof type);
}

/** An object that has all of these methods or properties: what it is made with is no matter. */
export function having(is: string, ...members: readonly string[]): Kind {
  return kind(
    is,
    (value) => typeof value === 'object' && value !== null && members.every((member) => member in value),
  );
}

export function listOf(element: Kind): Kind {
  return kind(
    `a list, each entry ${element.is}`,
    (value) => Array.isArray(value) && value.every((entry) => element.accepts(entry)),
  );
}

export function anyOf(...kinds: readonly Kind[]): Kind {
  return kind(kinds.map(({ is }) => is).join(', or '), (value) => kinds.some((each) => each.accepts(value)));
}

/** An object with these options of its own. */
export function record(kinds: Readonly<Record<string, Kind>>): Kind {
  const fields = Object.entries(kinds).map(([name, { is }]) => `${name}: ${is}`);
  return kind(
    `{ ${fields.join(', ')} }`,
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.entries(value).every(
        ([name, each]) => each === undefined || (Object.hasOwn(kinds, name) && kinds[name].accepts(each)),
      ) &&
      Object.entries(kinds).every(
        ([name, { required: must }]) => !must || (value as Record<string, unknown>)[name] !== undefined,
      ),
  );
}

export function required(what: Kind): Kind {
  return { ...what, required: true };
}

export const abortSignal = having('an AbortSignal', 'aborted', 'addEventListener', 'throwIfAborted');
export const threadCount = whole(1, 1024);
/** Of everything random. */
export const seedNumber = whole(0);
/** Bytes; Infinity for no bound. */
export const byteCount = kind('a number of bytes', (value) => typeof value === 'number' && value >= 0);
/** A value of any type as words of an error: quoted, cut, and never an error itself. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 60)}…'` : `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.length > 0 ? 'this list' : 'an empty list';
  const { $type } = value as { $type?: unknown };
  if (typeof $type === 'string') return withArticle($type);
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? withArticle(name) : 'this object';
}

function withArticle(name: string): string {
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** Throws a UsageError that names the function and the argument where the value is not of its kind. */
export function checkArgument(
  what: string,
  name: string,
  value: unknown,
  { is, accepts, required: must }: Kind,
): void {
  if (value === undefined) {
    if (must) throw new UsageError(`${what} needs ${is}`, { field: name });
    return;
  }
  if (!accepts(value)) throw new UsageError(`${what} takes ${is}, not ${shown(value)}`, { field: name });
}

/**
 * Checks the options of a public function: an object, with options each of its kind. The UsageError names function and
 * option, and what the option takes. An unknown option is an error where it is close to a known one; any other is
 * only warned of, since several functions may be called with one object of options. Options that are set to
 * undefined count as left out.
 */
export function checkOptions<T extends object>(
  what: string,
  options: unknown,
  kinds: OptionKinds<T>,
): asserts options is T {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new UsageError(`${what} takes an object of options, not ${shown(options)}`);
  const known = Object.keys(kinds);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(kinds, name)) continue;
    const close = nearest(name, known);
    if (close !== null)
      throw new UsageError(`${what} has no option '${name}'; did you mean '${close}'?`, { field: name });
    warn(`${what} ignores '${name}', which is not one of its options`);
  }
  for (const name of known)
    checkArgument(what, name, (options as Record<string, unknown>)[name], kinds[name as keyof T]);
}

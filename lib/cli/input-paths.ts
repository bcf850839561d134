import { accessSync, constants, statSync } from 'node:fs';
import { RistrettoError } from '../errors/index.js';
import { unreadable } from '../util/index.js';
import type { ArgumentRow, OptionTable, PathKind } from './options.js';

/** The numbers of a list separated by commas; null where it is something else. */
export function numbersIn(text: string): number[] | null {
  const numbers = text.split(',').map(Number);
  return numbers.every((number) => Number.isFinite(number)) ? numbers : null;
}

/** Why a path cannot be read, as a file or, where folders are taken too, as either; null where it can. */
function whyUnreadable(path: string, kind: PathKind): string | null {
  try {
    const isFolder = statSync(path).isDirectory();
    if (isFolder && kind !== 'path') return unreadable('EISDIR');
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return kind === 'path' && code === 'ENOENT' ? 'there is no such file or folder' : unreadable(code);
  }
}

/**
 * Throws for the first flag or argument whose file is not there, or is none: before any work, and with its name. A
 * pipe or a device is only looked at.
 */
export function checkInputPaths(
  values: Record<string, unknown>,
  table: OptionTable,
  positional: readonly string[],
  places: readonly ArgumentRow[],
): void {
  const check = (what: string, value: string, kind: PathKind) => {
    if (kind === 'numbersOrFile' && numbersIn(value)) return;
    for (const file of kind === 'files' ? value.split(',') : [value]) {
      const why = whyUnreadable(file, kind);
      if (why) throw new RistrettoError(`${what}: ${why}`, { file: file || "''" });
    }
  };
  for (const [name, { reads }] of Object.entries(table)) {
    const value = values[name];
    if (reads && typeof value === 'string') check(`flag --${name}`, value, reads);
  }
  for (const [i, { name, reads }] of places.entries())
    if (reads && positional[i] !== undefined) check(name, positional[i], reads);
}

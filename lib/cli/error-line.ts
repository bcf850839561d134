import { resolve, sep } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { isError, RistrettoError } from '../errors/index.js';

/** A flag or an argument as it was given: '--model' or 'LISTFILE', and its text. */
export interface GivenText {
  name: string;
  text: string;
}

const READS = new Set([
  'open',
  'read',
  'stat',
  'lstat',
  'fstat',
  'scandir',
  'opendir',
  'readlink',
  'realpath',
  'access',
]);

/** 'no space left on device' for ENOSPC. */
function systemReason(code: string): string {
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return 'the system refuses';
}

/** The file and the reason of an error that the operating system gave; null for others. */
function ofSystem(error: NodeJS.ErrnoException): { file: string | undefined; reason: string } | null {
  const { code, syscall, path } = error;
  if (!code || !syscall || !/^E[A-Z0-9]+$/.test(code)) return null;
  const verb = READS.has(syscall) ? (syscall === 'open' ? 'opened' : 'read') : 'written';
  return { file: path, reason: `cannot be ${verb} (${code}: ${systemReason(code)})` };
}

/** What an error says, and the file it is about where it says so. */
function describe(error: unknown): { file: string | undefined; text: string } {
  if (error instanceof RistrettoError) return { file: error.file, text: error.message };
  if (!isError(error)) return { file: undefined, text: String(error) };
  const system = ofSystem(error);
  if (system) return { file: system.file, text: [system.file, system.reason].filter(Boolean).join(': ') };
  // Sizes that a file or a flag gives may be more than JavaScript's arrays and texts hold.
  if (error.name === 'RangeError' || /^ERR_(STRING_TOO_LONG|FS_FILE_TOO_LARGE|MEMORY)/.test(codeOf(error)))
    return { file: undefined, text: `more than can be held: ${error.message}` };
  // An error of our own explains itself; anything else is a fault, and its place helps to mend it.
  return {
    file: undefined,
    text: `unexpected ${error.name}: ${error.message} (RISTRETTO_DEBUG=1 shows where)`,
  };
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : '';
}

/** How much of a file's path a flag's text names, which may be a folder that it is in; 0 where it names none of it. */
function named(text: string, file: string): number {
  const wanted = resolve(file);
  const parts = text.split(',').filter((part) => part !== '');
  return Math.max(
    0,
    ...parts
      .map((part) => resolve(part))
      .filter((given) => given === wanted || wanted.startsWith(given.endsWith(sep) ? given : given + sep))
      .map((given) => given.length),
  );
}

/** Whether a line has a text as a word of its own. */
function mentions(line: string, text: string): boolean {
  const at = line.indexOf(text);
  return at >= 0 && !/\w/.test(line[at - 1] ?? '') && !/\w/.test(line[at + text.length] ?? '');
}

/** Control characters as escapes: names of files may hold some, and a line is one line. */
function printable(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\0-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/**
 * An error as one line that names the file and the flag or argument that it came by. Of errors that name no file,
 * `given` says what was being worked on.
 */
export function errorLine(error: unknown, given: readonly GivenText[]): string {
  const { file, text } = describe(error);
  let line = text;
  // An argument's name (LMDB) may stand in a message that is not about it.
  if (!/(^|[\s(])--\w/.test(line)) {
    // A folder of images may hold the list of them too: the flag that names the file best is meant.
    const source = given
      .map(({ name, text: given }) => ({ name, length: file === undefined ? 0 : named(given, file) }))
      .reduce((best, entry) => (entry.length > best.length ? entry : best), { name: '', length: 0 });
    if (source.length > 0) line += ` (${source.name})`;
    else if (file === undefined && given.length > 0 && !given.some((entry) => mentions(line, entry.text)))
      line += ` (${given
        .filter(({ name }) => name !== '--json')
        .map((entry) => `${entry.name} ${entry.text}`)
        .join(', ')})`;
  }
  if (file?.includes('\ufffd') && !line.includes('UTF-8'))
    line += '; a name there is not UTF-8: rename it, or reach it by a link';
  return printable(line);
}

/** The place of a fault, where RISTRETTO_DEBUG asks for it. */
export function stackOf(error: unknown): string | null {
  if (!process.env.RISTRETTO_DEBUG || !isError(error)) return null;
  return error.stack ?? null;
}

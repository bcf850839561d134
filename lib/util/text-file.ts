import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FormatError } from '../errors/index.js';
import { bytesText } from './bytes-text.js';

/** What JavaScript's texts hold at most, nearly: a list of 14 million images is as large. */
const maxTextBytes = 500 * 2 ** 20;

/** Read at once; the least that a read of unknown length asks for. */
const chunkBytes = 2 ** 20;

/** Where a file's name came from, for errors: the layer and its field, or an option. */
export interface TextPlace {
  layer?: string;
  field?: string;
}

/** Why a path cannot be read as a file; `code` is the operating system's. */
export function unreadable(code: string | undefined): string {
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'ENOTDIR') return 'cannot be read (ENOTDIR): a file stands where a folder is needed';
  return code === 'ENOENT' ? 'cannot be read (ENOENT): there is no such file' : `cannot be read (${code})`;
}

const encodings: readonly (readonly [name: string, start: readonly number[]])[] = [
  ['UTF-32', [0xff, 0xfe, 0, 0]],
  ['UTF-32', [0, 0, 0xfe, 0xff]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];

/** The encoding other than UTF-8 that a text starts as; null where it does not. */
function otherEncoding(bytes: Uint8Array): string | null {
  const marked = encodings.find(([, start]) => start.every((byte, i) => bytes[i] === byte));
  if (marked) return marked[0];
  // Every other byte of Latin text in UTF-16 is 0; a binary file's zeros do not alternate with letters.
  const head = bytes.subarray(0, 64);
  const zeros = (odd: number) => head.every((byte, i) => (i % 2 === odd) === (byte === 0));
  return head.length >= 4 && (zeros(0) || zeros(1)) ? 'UTF-16' : null;
}

/** The bytes of a text file that is not of another encoding than UTF-8, as far as its start tells. */
export function readTextBytes(path: string, place: TextPlace = {}): Uint8Array {
  const bytes = readBytes(path, place);
  const encoding = otherEncoding(bytes);
  if (encoding)
    throw new FormatError(
      `is ${encoding}: save it as UTF-8, as with iconv -f ${encoding} -t UTF-8 (PowerShell's > writes UTF-16)`,
      { file: path, ...place },
    );
  return bytes;
}

/** The bytes of a file; of a pipe or device too, whose length is not known before. */
function readBytes(path: string, place: TextPlace): Uint8Array {
  const fail = (message: string, cause?: unknown): never => {
    throw new FormatError(message, { file: path, ...place, cause });
  };
  const tooLarge = (bytes: string): never =>
    fail(`has ${bytes}; a text file of at most ${bytesText(maxTextBytes)} is read`);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) fail(unreadable('EISDIR'));
    if (stat.size > maxTextBytes) tooLarge(bytesText(stat.size));
    const parts: Uint8Array[] = [];
    for (let total = 0; ;) {
      // One byte more than the file has shows its end.
      const part = new Uint8Array(Math.max(chunkBytes, stat.size - total + 1));
      const got = readSync(descriptor, part);
      if (got === 0) return parts.length === 1 ? parts[0] : Buffer.concat(parts);
      total += got;
      if (total > maxTextBytes) tooLarge('more');
      parts.push(part.subarray(0, got));
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return fail(unreadable((error as NodeJS.ErrnoException).code), error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The number, from 1, of the line that the byte at `offset` belongs to. */
function lineAt(bytes: Uint8Array, offset: number): number {
  let line = 1;
  for (let i = 0; i < offset; i++) if (bytes[i] === 10 || (bytes[i] === 13 && bytes[i + 1] !== 10)) line++;
  return line;
}

/** Where the first sequence of bytes stands that is not UTF-8, for bytes that hold one. */
function firstInvalid(bytes: Uint8Array): number {
  // Every prefix that ends before it is valid but for a character cut in two, so lines are looked at whole.
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (!isUtf8(line)) {
      // Old Mac files have carriage returns only.
      for (let from = 0; ;) {
        const next = line.indexOf(13, from);
        const to = next < 0 ? line.length : next;
        if (!isUtf8(line.subarray(from, to)) || next < 0) return start + from;
        from = to + 1;
      }
    }
    start += line.length + 1;
  }
  return 0;
}

/**
 * Reads a text file in UTF-8, without the byte order mark that some editors begin it with. What is missing, a
 * folder, not UTF-8 or too large is a FormatError that names the file, `place` and the line.
 */
export function readTextFile(path: string, place: TextPlace = {}): string {
  const bytes = readTextBytes(path, place);
  const fail = (message: string, offset?: number): never => {
    const line = offset === undefined ? undefined : lineAt(bytes, offset);
    throw new FormatError(message, { file: path, ...place, line });
  };
  const zero = bytes.indexOf(0);
  if (zero >= 0) fail('holds a zero byte: it is binary, or UTF-16; save it as UTF-8', zero);
  if (!isUtf8(bytes)) fail('is not UTF-8: save the file as UTF-8, names in it too', firstInvalid(bytes));
  return new TextDecoder().decode(bytes);
}

/** The lines of a text, whichever of LF, CR LF and CR ends them. A last one that is ended too adds no empty line. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A line that holds something, without the blanks and tabs around it. */
export interface ListLine {
  /** From 1. */
  line: number;
  text: string;
}

/** Reads a list: the lines of a text file that hold something. */
export function readListFile(path: string, place: TextPlace = {}): ListLine[] {
  return (
    linesOf(readTextFile(path, place))
      // A byte order mark stands in the middle too where such files were joined.
      .map((text, i) => ({ line: i + 1, text: text.replace(/^[ \t\ufeff]+|[ \t]+$/g, '') }))
      .filter(({ text }) => text !== '')
  );
}

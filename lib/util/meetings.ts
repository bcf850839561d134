import { readdirSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { UsageError } from '../errors/index.js';
import { isSpecialFile, realTarget } from './real-path.js';

/** A file or folder that a run reads or writes, and what names it: a flag, an argument, a field of a prototxt. */
export interface NamedPath {
  path: string;
  what: string;
  /** Of a folder that is read: whether nothing may be written into it, as into a database. */
  closed?: boolean;
  /** Of a list: the files that it lists. Asked only where it matters. */
  listed?: () => readonly string[];
}

/** macOS's usual file system takes names that differ in case, or in how accents are put together, for the same. */
const fold = (place: string): string =>
  process.platform === 'darwin' ? place.normalize('NFC').toLowerCase() : place;

/** What tells a file from all others, whatever it is called; null where there is none. */
function identityOf(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}` : null;
}

interface Located extends NamedPath {
  place: string;
  identity: string | null;
}

function locate(named: NamedPath): Located {
  try {
    return { ...named, place: fold(realTarget(named.path)), identity: identityOf(named.path) };
  } catch {
    // A path that cannot even be looked at (a part of it is a file, no permission) meets nothing; its user says why.
    return { ...named, place: fold(named.path), identity: null };
  }
}

const same = (a: Located, b: Located): boolean =>
  a.place === b.place || (a.identity !== null && a.identity === b.identity);

/** Whether two paths are one file, whatever they are called. */
export function sameFile(a: string, b: string): boolean {
  return same(locate({ path: a, what: '' }), locate({ path: b, what: '' }));
}

/** The folders that a path lies in, from the nearest on. */
function* foldersOf(place: string): Generator<string> {
  for (let folder = dirname(place); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/** How many folders lie between a path and the folder that it is in; null where it is not in it. */
function depthIn(output: Located, folder: Located): number | null {
  let depth = 0;
  for (const above of foldersOf(output.place)) {
    if (above === folder.place || (folder.identity !== null && identityOf(above) === folder.identity))
      return depth;
    depth++;
  }
  return null;
}

/** The files of a database, or those in the folders of a folder of class folders; what lies beside these is no part. */
function* filesOf({ path, closed }: NamedPath): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const part = join(path, entry.name);
    if (entry.isDirectory()) {
      for (const inner of readdirSync(part)) yield join(part, inner);
    } else if (closed) yield part;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** One of the files that an input consists of which an output, that is there already, is; null where none is. */
function partThatIs(output: Located, input: Located): string | null {
  if (output.identity === null) return null;
  const parts = input.listed?.() ?? (isFolder(input.path) ? filesOf(input) : []);
  for (const part of parts) if (identityOf(part) === output.identity) return part;
  return null;
}

const quoted = (output: NamedPath, input: NamedPath): string =>
  output.path === input.path ? '' : ` '${input.path}'`;

/** What is wrong with writing an output where an input is; null where nothing is. */
function objection(output: Located, input: Located): string | null {
  if (same(output, input))
    return `is the same file as ${input.what}${quoted(output, input)}, which it would overwrite`;
  if (isFolder(input.path)) {
    const depth = depthIn(output, input);
    // A folder of class folders may have results beside them, none in them.
    if (depth !== null && (input.closed || depth > 0))
      return `lies in ${input.what} '${input.path}', which is read`;
  }
  let part: string | null = null;
  try {
    part = partThatIs(output, input);
  } catch {
    // A folder or list that cannot be read is told of by whoever reads it.
  }
  return part === null
    ? null
    : `is '${part}', a file of ${input.what}${quoted(output, input)}, which it would overwrite`;
}

/**
 * Throws UsageError where an output is also an input, in whatever spelling, through a link of either kind, or inside a
 * folder that is read, and where two outputs are one file. To be asked before anything is written. Devices and
 * pipes meet nothing.
 */
export function refuseMeetings(outputs: readonly NamedPath[], inputs: readonly NamedPath[]): void {
  const ordinary = ({ path }: NamedPath) => {
    try {
      return !isSpecialFile(path);
    } catch {
      return true;
    }
  };
  const written = outputs.filter(ordinary).map(locate);
  const read = inputs.filter(ordinary).map(locate);
  for (const [index, output] of written.entries()) {
    const other = written.slice(0, index).find((earlier) => same(earlier, output));
    if (other)
      throw new UsageError(
        `${output.what} is the same file as ${other.what}${quoted(output, other)}; give each a file of its own`,
        { file: output.path },
      );
    const around = written.find((folder) => output.place.startsWith(folder.place + sep));
    if (around)
      throw new UsageError(
        `${output.what} lies in ${around.what} '${around.path}'; give each a place of its own`,
        {
          file: output.path,
        },
      );
    for (const input of read) {
      const why = objection(output, input);
      if (why) throw new UsageError(`${output.what} ${why}; write elsewhere`, { file: output.path });
    }
  }
}

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What is to be removed should the process end first: by a second Ctrl-C, by an error that nobody takes. */
const pending = new Set<string>();

process.on('exit', () => {
  for (const path of pending) remove(path);
});

function remove(path: string): void {
  try {
    // Retried: a thread that still writes may put a file into the folder that is being emptied.
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 });
  } catch {
    // Left behind is better than an error that hides the one on its way.
  }
}

/** Has `path`, a file or folder, removed when the process ends, unless `keepTemporary` or `removeTemporary` came first. */
export function addTemporary(path: string): string {
  pending.add(path);
  return path;
}

/** File systems take names of at most 255 bytes; a name of ours is longer than its file's by less than the rest. */
const MOST_NAME_BYTES = 200;

/** The name of a file, or where it is so long that one made from it would not fit: its start, and what tells it apart. */
export function shortName(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= MOST_NAME_BYTES) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  // A character that is cut in two is left out.
  const start = new TextDecoder().decode(Buffer.from(name).subarray(0, MOST_NAME_BYTES - 24), {
    stream: true,
  });
  return `${start}~${digest}`;
}

/** What tells the processes of one host and container from those of others, in the names of their files. */
function hostTag(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has them.
  }
  return createHash('sha256').update(`${hostname()} ${space}`).digest('hex').slice(0, 8);
}

/** A path for a temporary file or folder beside `target`, from where it can be renamed; removed at the end. */
export function temporaryFor(target: string): string {
  const unique = `${process.pid}.${hostTag()}${randomBytes(4).toString('hex')}`;
  return addTemporary(join(dirname(target), `.${shortName(target)}.${unique}.tmp`));
}

/** The file at the path is no temporary any more: it was renamed, or is wanted after all. */
export function keepTemporary(path: string): void {
  pending.delete(path);
}

export function removeTemporary(path: string): void {
  remove(path);
  pending.delete(path);
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Removes what processes that are gone have left half written beside `target`, of that name or of longer ones: those of
 * this host that do not run any more, and `known`, of which the caller knows.
 */
export function removeLeftTemporaries(target: string, known?: number): void {
  const start = `.${shortName(target)}`;
  const end = /^(?:_.*)?\.(\d+)\.([0-9a-f]{8})(?:[0-9a-f]{8})?\.tmp$/;
  const here = hostTag();
  try {
    for (const name of readdirSync(dirname(target))) {
      const left = name.startsWith(start) ? end.exec(name.slice(start.length)) : null;
      if (!left) continue;
      const pid = Number(left[1]);
      if (pid === known || (left[2] === here && pid !== process.pid && isGone(pid)))
        remove(join(dirname(target), name));
    }
  } catch {
    // A folder that cannot be listed keeps what lies in it.
  }
}

import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
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

/** A path for a temporary file or folder beside `target`, from where it can be renamed; removed at the end. */
export function temporaryFor(target: string): string {
  const unique = `${process.pid}.${randomBytes(4).toString('hex')}`;
  return addTemporary(join(dirname(target), `.${basename(target)}.${unique}.tmp`));
}

/** The file at the path is no temporary any more: it was renamed, or is wanted after all. */
export function keepTemporary(path: string): void {
  pending.delete(path);
}

export function removeTemporary(path: string): void {
  remove(path);
  pending.delete(path);
}

/** Removes what a process that is gone has left half written beside `target`: of that name, or of longer ones. */
export function removeTemporariesOf(pid: number, target: string): void {
  const start = `.${basename(target)}`;
  const end = new RegExp(`^(?:_.*)?\\.${pid}\\.[0-9a-f]{8}\\.tmp$`);
  try {
    for (const name of readdirSync(dirname(target)))
      if (name.startsWith(start) && end.test(name.slice(start.length))) remove(join(dirname(target), name));
  } catch {
    // A folder that cannot be listed keeps what lies in it.
  }
}

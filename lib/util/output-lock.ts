import { readFileSync, linkSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { RistrettoError } from '../errors/index.js';
import { isSpecialFile, realTarget } from './real-path.js';
import {
  addTemporary,
  keepTemporary,
  removeLeftTemporaries,
  removeTemporary,
  shortName,
  temporaryFor,
} from './temporaries.js';

/** Who writes an output: the content of a lock file. */
interface Holder {
  pid: number;
  host: string;
  /** When the lock was taken, ISO 8601. */
  since: string;
  /** What tells one boot and one container of a host from another; empty where the system does not say. */
  boot: string;
  space: string;
  /** When the process started, in the system's own unit: its id may be given to another one later. */
  started: string;
}

/** Keeps others from writing the same output. */
export interface OutputLock {
  release(): void;
}

/** A lock file whose content is no holder's is that of a process that is just writing it, for so long. */
const UNREADABLE_MILLISECONDS = 10_000;

/** The text of a file of the system, or what `none` says. */
function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** State letter and start time of a process, as Linux tells them; null elsewhere. */
function processOf(pid: number): { state: string; started: string } | null {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name in parentheses may hold anything, blanks too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.length > 19 ? { state: fields[0], started: fields[19] } : null;
}

function self(): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    boot: textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    space: textOf(() => readlinkSync('/proc/self/ns/pid')),
    started: processOf(process.pid)?.started ?? '',
  };
}

/** Whether the holder still runs; null where that cannot be told from here. */
function isAlive(holder: Holder): boolean | null {
  const here = self();
  if (holder.host !== here.host) return null;
  if (holder.boot !== here.boot) return false;
  if (holder.space !== here.space) return null;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const found = processOf(holder.pid);
  if (!found) return true;
  // A process that has ended and whose parent has not asked how still has its id.
  return !['Z', 'X'].includes(found.state) && (holder.started === '' || holder.started === found.started);
}

function holderOf(text: string): Holder | null {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    return Number.isInteger(holder?.pid) &&
      holder!.pid! > 0 &&
      typeof holder?.host === 'string' &&
      typeof holder.since === 'string'
      ? ({ boot: '', space: '', started: '', ...holder } as Holder)
      : null;
  } catch {
    return null;
  }
}

/** Whether a text that is no holder's is the start of one, as a crash leaves where no links can be made. */
function isCutLock(text: string): boolean {
  const start = '{"pid":';
  return start.startsWith(text.slice(0, start.length));
}

/** '3 minutes', '2 hours', '4 days'. */
function ageText(since: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
  const units: [string, number][] = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
  ];
  const [unit, size] = units.find(([, length]) => seconds >= 2 * length) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** Puts a lock file in its place with its whole content, unless there is one. */
function place(lock: string, text: string): boolean {
  const temporary = temporaryFor(lock);
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    try {
      linkSync(temporary, lock);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // File systems without hard links.
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
      writeFileSync(lock, text, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    removeTemporary(temporary);
  }
}

/** Takes away a lock whose holder is gone, but none that another process has put in its place meanwhile. */
function takeAway(lock: string, stale: string): void {
  const aside = temporaryFor(lock);
  try {
    renameSync(lock, aside);
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, lock);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    removeTemporary(aside);
  }
}

/** Claims of several files by this thread: the lock file's text, and how many use it. */
const shared = new Map<string, { text: string; users: number }>();

/**
 * Claims an output for this process until `release`, or the end of the process: two runs that write the same file,
 * database, journal or snapshots would undo each other's work. The claim is a file beside the output,
 * `.NAME.lock`, that says which process of which host has it and since when. One whose process is gone is taken
 * over, and what that process left half written is removed. `part`: the path is the start of the names of several
 * files, which are claimed together, and by all that writes such files here: whoever has several solvers in one
 * program knows of them. Throws RistrettoError where another run holds it.
 */
export function lockOutput(path: string, part?: 'snapshots'): OutputLock {
  if (isSpecialFile(path)) return { release: () => {} };
  const target = realTarget(path);
  const lock = join(dirname(target), `.${shortName(target)}${part ? `.${part}` : ''}.lock`);
  const held = shared.get(lock) ?? { text: `${JSON.stringify(self())}\n`, users: 0 };
  if (held.users === 0) claim(lock, held.text, { path, target, part });
  held.users++;
  if (part) shared.set(lock, held);
  return {
    release() {
      if (--held.users > 0) return;
      shared.delete(lock);
      if (textOf(() => readFileSync(lock, 'utf8')) === held.text.trim()) rmSync(lock, { force: true });
      keepTemporary(lock);
    },
  };
}

/** Puts the lock file in its place, that of a process that is gone taken away first. */
function claim(
  lock: string,
  text: string,
  { path, target, part }: { path: string; target: string; part?: string },
): void {
  let gone: number | undefined;
  try {
    for (let vanished = 0; !place(lock, text);) {
      let found: string;
      let age: number;
      try {
        found = readFileSync(lock, 'utf8');
        age = Date.now() - statSync(lock).mtimeMs;
      } catch (error) {
        // Just released; a link to nothing stays.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' && ++vanished < 100) continue;
        throw error;
      }
      const holder = holderOf(found);
      const alive = holder ? isAlive(holder) : age < UNREADABLE_MILLISECONDS;
      if (alive !== false) throw heldError({ path, lock, part }, holder, alive);
      if (!holder && !isCutLock(found))
        throw new RistrettoError(
          `cannot be written: ${lock} is in the way, which is no lock; move it elsewhere`,
          { file: path },
        );
      takeAway(lock, found);
      gone = holder?.pid;
    }
    for (const left of [target, lock]) removeLeftTemporaries(left, gone);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof RistrettoError || !code) throw error;
    throw new RistrettoError(`cannot be written: its lock file ${lock} cannot be (${code})`, {
      file: path,
      cause: error,
    });
  }
  addTemporary(lock);
}

function heldError(
  { path, lock, part }: { path: string; lock: string; part?: string },
  holder: Holder | null,
  alive: boolean | null,
): RistrettoError {
  const what = part ? `${part} of this name` : 'it';
  if (!holder)
    return new RistrettoError(`another process is about to write ${what} (${lock})`, { file: path });
  const who =
    holder.pid === process.pid && alive ? 'this process itself' : `process ${holder.pid} on ${holder.host}`;
  const since = Date.parse(holder.since);
  const when = Number.isNaN(since) ? '' : ` since ${holder.since} (${ageText(since)})`;
  const cure = alive
    ? 'wait for it, or write elsewhere'
    : `wait for it or write elsewhere; if it has ended, which cannot be told from here, remove ${lock}`;
  return new RistrettoError(`${who} writes ${what}${when}: ${cure}`, { file: path });
}

/** Runs `work` with an output claimed. */
export async function withOutputLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = lockOutput(path);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

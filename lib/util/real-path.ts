import { fstatSync, readlinkSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Links that are followed to find out what a path names. */
const MOST_LINKS = 40;

/**
 * The file behind symbolic links, so that a link stays one; where nothing is, the place behind the links of the folder,
 * and where a link names nothing that is there, what it names.
 */
export function realTarget(path: string): string {
  return targetOf(resolve(path), 0);
}

function targetOf(whole: string, links: number): string {
  try {
    return realpathSync(whole);
  } catch {
    const folder = dirname(whole);
    if (folder === whole || links > MOST_LINKS) return whole;
    const place = join(targetOf(folder, links + 1), basename(whole));
    try {
      return targetOf(resolve(dirname(place), readlinkSync(place)), links + 1);
    } catch {
      return place; // No link.
    }
  }
}

/**
 * The open file of this process that a path names, as /dev/stdout, /dev/fd/3 and links to them do; null for others.
 * Behind it may be a file, which was opened before us to be written to where it stands.
 */
export function descriptorOf(path: string): number | null {
  const named = new RegExp(`^(?:/proc/(?:self|${process.pid})(?:/task/\\d+)?|/dev)/fd/(\\d+)$`);
  let at = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      const folder = realpathSync(dirname(at));
      const place = join(folder, basename(at));
      const match = named.exec(place);
      if (match) return Number(match[1]);
      at = resolve(folder, readlinkSync(place));
    } catch {
      return null; // No link.
    }
  }
  return null;
}

/** Nothing where nothing can be found out: whoever opens the path says why. */
function statOf(path: string, descriptor: number | null): Stats | undefined {
  try {
    return descriptor === null ? statSync(path, { throwIfNoEntry: false }) : fstatSync(descriptor);
  } catch {
    return undefined;
  }
}

/** A device, a pipe, a socket, an open file of this process: what is written to, not replaced. */
export function isSpecialFile(path: string): boolean {
  const descriptor = descriptorOf(path);
  const stat = statOf(path, descriptor);
  if (stat?.isDirectory()) return false;
  return descriptor !== null || (stat !== undefined && !stat.isFile());
}

/** What gives its content only once: a pipe, a socket, a terminal. */
export function isReadOnce(path: string): boolean {
  const stat = statOf(path, descriptorOf(path));
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dropUnusableCache } from './cmake-cache.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** Runs a program whose output is of interest only where it fails: then all of it is shown. Gives whether it did well. */
export function runQuietly(command, args, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-log-'));
  const log = join(folder, 'log');
  const descriptor = openSync(log, 'w');
  try {
    const stdio = ['ignore', descriptor, descriptor];
    const { status, signal, error } = spawnSync(command, args, { cwd: root, ...options, stdio });
    if (status === 0) return true;
    process.stderr.write(readFileSync(log));
    console.error(`${command}: ${error?.message ?? signal ?? `exit code ${status}`}`);
    return false;
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

/** cmake-js's program and the arguments of one of its commands, for the addon's build folder as it is found. */
export function cmakeJs(command, args) {
  const generator = dropUnusableCache(join(root, 'build'), root, { addon: true });
  const program = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  return [program, command, '--log-level=error', ...(generator ? [`--generator=${generator}`] : []), ...args];
}

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RistrettoError } from '../errors/index.js';

const PACKAGE = 'ristretto';

function isOurs(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === PACKAGE;
}

/** The package as an import from this file would find it; null where it is not installed. */
function installed(file: string): string | null {
  try {
    return dirname(createRequire(file).resolve(`${PACKAGE}/package.json`));
  } catch {
    return null;
  }
}

/**
 * The package's folder, which also holds what is not JavaScript (the addon, shapes of benchmarks): the one that
 * `file` lies in or, where a bundler has moved the code into an application's file, the installed one.
 */
export function packageRoot(file = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (isOurs(folder)) return folder;
    if (folder === dirname(folder)) break;
  }
  const found = installed(file);
  if (found) return found;
  throw new RistrettoError(
    `this file holds ${PACKAGE}'s code but does not lie in its package, where the native addon is: ` +
      `keep ${PACKAGE} outside the bundle (mark '${PACKAGE}' as external, as with --external:${PACKAGE}) ` +
      'and install it beside the application',
    { file },
  );
}

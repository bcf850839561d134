import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Folders of the packages that package-lock.json asks for and that are not installed as it says. `wanted` is that file,
 * `installed` npm's own record of what it put into node_modules (node_modules/.package-lock.json), null where there is
 * none. What is optional, such as another platform's binaries, may be absent; packages beyond those asked for are no
 * reason to install again.
 */
export function missingPackages(wanted, installed) {
  const found = installed?.packages ?? {};
  return Object.entries(wanted.packages ?? {})
    .filter(([folder, { version, integrity, optional }]) => {
      if (folder === '') return false;
      const there = found[folder];
      if (!there) return !optional;
      return there.version !== version || there.integrity !== integrity;
    })
    .map(([folder]) => folder);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Whether the dependencies of the package in `root` are installed, whichever command of npm did it. */
export function dependenciesInstalled(root) {
  const wanted = readJson(join(root, 'package-lock.json'));
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed || missingPackages(wanted, installed).length > 0) return false;
  // The record stays where somebody takes a package's folder away.
  return Object.keys(installed.packages).every((folder) => existsSync(join(root, folder, 'package.json')));
}

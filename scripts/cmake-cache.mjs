import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const real = (path) => (existsSync(path) ? realpathSync(path) : path);

/** The entries of a CMake cache by name. */
function entriesOf(text) {
  return new Map(
    [...text.matchAll(/^([^#/:=\n][^:=\n]*):[A-Z]+=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** Why CMake would refuse to configure a build folder again, or would build something else; null where it would not. */
function whyUnusable(entries, folder, source, addon) {
  const home = entries.get('CMAKE_HOME_DIRECTORY');
  const place = entries.get('CMAKE_CACHEFILE_DIR');
  // CMake's own test: both folders must be these, links resolved.
  if (!home || !place || real(home) !== real(source) || real(place) !== real(folder))
    return `was configured in ${place ?? 'another folder'}`;
  if (addon && !entries.has('CMAKE_JS_VERSION')) return 'was configured by cmake itself, not for the addon';
  for (const name of ['CMAKE_MAKE_PROGRAM', 'CMAKE_C_COMPILER', 'CMAKE_CXX_COMPILER']) {
    const program = entries.get(name);
    if (program?.startsWith('/') && !existsSync(program))
      return `was configured with ${program}, which is gone`;
  }
  return null;
}

/**
 * Lets CMake configure a build folder anew where it would refuse it: in a checkout that was moved, copied or is seen
 * under another path (a container), or where a tool that it was configured with is gone; with `addon` also where cmake
 * made it without cmake-js, as `cmake -B build` does. What is built there stays until it is built again. Otherwise gives
 * the generator that the folder was made with, which must stay the same even where another would be chosen by now; null
 * where there is none yet.
 */
export function dropUnusableCache(folder, source, { addon = false } = {}) {
  const cache = join(folder, 'CMakeCache.txt');
  if (!existsSync(cache)) return null;
  const entries = entriesOf(readFileSync(cache, 'utf8'));
  const why = whyUnusable(entries, folder, source, addon);
  if (why === null) return entries.get('CMAKE_GENERATOR') ?? null;
  console.log(`${folder} ${why}: configuring it anew`);
  for (const made of [
    'CMakeCache.txt',
    'CMakeFiles',
    'build.ninja',
    'Makefile',
    'cmake_install.cmake',
    '.ninja_deps',
    '.ninja_log',
  ])
    rmSync(join(folder, made), { recursive: true, force: true });
  return null;
}

import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const real = (path) => (existsSync(path) ? realpathSync(path) : path);

/**
 * Lets CMake configure a build folder anew where its cache was made elsewhere: in a checkout that was moved, copied or
 * is seen under another path (a container), CMake would refuse the folder. What is built there stays until it is built
 * again; a cache of this very place stays too.
 */
export function dropMovedCache(folder, source) {
  const cache = join(folder, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const text = readFileSync(cache, 'utf8');
  const entry = (name) => new RegExp(`^${name}:INTERNAL=(.*)$`, 'm').exec(text)?.[1];
  const [home, place] = [entry('CMAKE_HOME_DIRECTORY'), entry('CMAKE_CACHEFILE_DIR')];
  // CMake's own test: both folders must be these, links resolved.
  if (home && place && real(home) === real(source) && real(place) === real(folder)) return;
  console.log(`${folder} was configured in ${place ?? 'another folder'}: configuring it anew`);
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
}

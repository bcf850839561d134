import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Drop = (folder: string, source: string) => void;
const { dropMovedCache } = (await import(
  new URL('../../../scripts/cmake-cache.mjs', import.meta.url).href
)) as {
  dropMovedCache: Drop;
};

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cache-'));
  vi.spyOn(console, 'log').mockReturnValue();
});
afterEach(() => {
  rmSync(root, { recursive: true });
  vi.restoreAllMocks();
});

/** A checkout with a build folder whose cache says that it was made for `home` in `place`. */
function checkout(home: string, place: string): string {
  const folder = join(root, 'here', 'build');
  mkdirSync(join(folder, 'CMakeFiles'), { recursive: true });
  mkdirSync(join(folder, 'Release'));
  for (const name of ['build.ninja', 'Release/ristretto.node']) writeFileSync(join(folder, name), '');
  writeFileSync(
    join(folder, 'CMakeCache.txt'),
    `CMAKE_CACHEFILE_DIR:INTERNAL=${place}\nCMAKE_HOME_DIRECTORY:INTERNAL=${home}\n`,
  );
  return folder;
}
const left = (folder: string) =>
  ['CMakeCache.txt', 'CMakeFiles', 'build.ninja', 'Release/ristretto.node'].filter((name) =>
    existsSync(join(folder, name)),
  );

describe('dropMovedCache', () => {
  it('keeps a cache of this folder, also through a link', () => {
    const folder = checkout(join(root, 'here'), join(root, 'here/build'));
    dropMovedCache(folder, join(root, 'here'));
    expect(left(folder)).toHaveLength(4);
    symlinkSync(join(root, 'here'), join(root, 'link'));
    dropMovedCache(join(root, 'link/build'), join(root, 'link'));
    expect(left(folder)).toHaveLength(4);
  });

  it.each([
    ['another checkout', '/old/place', '/old/place/build'],
    ['another build folder', null, '/old/place/build'],
    ['other sources', '/old/place', null],
  ])('drops that of %s and keeps what is built', (_, home, place) => {
    const folder = checkout(home ?? join(root, 'here'), place ?? join(root, 'here/build'));
    dropMovedCache(folder, join(root, 'here'));
    expect(left(folder)).toEqual(['Release/ristretto.node']);
  });

  it('has nothing to do in a folder without a cache', () => {
    dropMovedCache(join(root, 'none'), root);
    expect(existsSync(join(root, 'none'))).toBe(false);
  });
});

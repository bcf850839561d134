import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';

type Drop = (folder: string, source: string, options?: { addon?: boolean }) => string | null;
const { dropUnusableCache } = (await import(
  new URL('../../../scripts/cmake-cache.mjs', import.meta.url).href
)) as {
  dropUnusableCache: Drop;
};

let root = '';
let said: MockInstance<typeof console.log>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cache-'));
  said = vi.spyOn(console, 'log').mockReturnValue();
});
afterEach(() => {
  rmSync(root, { recursive: true });
  vi.restoreAllMocks();
});

/** A checkout with a build folder whose cache says that it was made for `home` in `place`, and what `more` says. */
function checkout(home: string, place: string, more: Record<string, string> = {}): string {
  const folder = join(root, 'here', 'build');
  mkdirSync(join(folder, 'CMakeFiles'), { recursive: true });
  mkdirSync(join(folder, 'Release'), { recursive: true });
  for (const name of ['build.ninja', 'Release/ristretto.node']) writeFileSync(join(folder, name), '');
  const lines = [
    '# This is the CMakeCache file.',
    '//For build in directory: a comment',
    `CMAKE_CACHEFILE_DIR:INTERNAL=${place}`,
    `CMAKE_HOME_DIRECTORY:INTERNAL=${home}`,
    'CMAKE_GENERATOR:INTERNAL=Unix Makefiles',
    ...Object.entries(more).map(([name, value]) => `${name}:FILEPATH=${value}`),
  ];
  writeFileSync(join(folder, 'CMakeCache.txt'), lines.join('\n') + '\n');
  return folder;
}
const left = (folder: string) =>
  ['CMakeCache.txt', 'CMakeFiles', 'build.ninja', 'Release/ristretto.node'].filter((name) =>
    existsSync(join(folder, name)),
  );

describe('dropUnusableCache', () => {
  const here = () => join(root, 'here');

  it('keeps a cache of this folder, also through a link, and gives its generator', () => {
    const folder = checkout(here(), join(here(), 'build'));
    expect(dropUnusableCache(folder, here())).toBe('Unix Makefiles');
    expect(left(folder)).toHaveLength(4);
    symlinkSync(here(), join(root, 'link'));
    expect(dropUnusableCache(join(root, 'link/build'), join(root, 'link'))).toBe('Unix Makefiles');
    expect(left(folder)).toHaveLength(4);
  });

  it.each([
    ['another checkout', '/old/place', '/old/place/build'],
    ['another build folder', null, '/old/place/build'],
    ['other sources', '/old/place', null],
  ])('drops that of %s and keeps what is built', (_, home, place) => {
    const folder = checkout(home ?? here(), place ?? join(here(), 'build'));
    expect(dropUnusableCache(folder, here())).toBeNull();
    expect(left(folder)).toEqual(['Release/ristretto.node']);
  });

  it("drops one that cmake made without cmake-js where the addon's is wanted", () => {
    const own = checkout(here(), join(here(), 'build'), { CMAKE_JS_VERSION: '8.0.0' });
    expect(dropUnusableCache(own, here(), { addon: true })).toBe('Unix Makefiles');
    const folder = checkout(here(), join(here(), 'build'));
    expect(dropUnusableCache(folder, here(), { addon: true })).toBeNull();
    expect(left(folder)).toEqual(['Release/ristretto.node']);
    expect(said.mock.calls.join()).toMatch(/by cmake itself.*configuring it anew/);
  });

  it.each(['CMAKE_MAKE_PROGRAM', 'CMAKE_C_COMPILER', 'CMAKE_CXX_COMPILER'])(
    'drops one whose %s is gone',
    (name) => {
      const there = checkout(here(), join(here(), 'build'), { [name]: process.execPath });
      expect(dropUnusableCache(there, here())).not.toBeNull();
      const folder = checkout(here(), join(here(), 'build'), { [name]: join(root, 'gone') });
      expect(dropUnusableCache(folder, here())).toBeNull();
      expect(left(folder)).toEqual(['Release/ristretto.node']);
    },
  );

  it('has nothing to do in a folder without a cache', () => {
    expect(dropUnusableCache(join(root, 'none'), root)).toBeNull();
    expect(existsSync(join(root, 'none'))).toBe(false);
  });
});

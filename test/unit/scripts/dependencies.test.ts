// What the scripts decide before they install anything.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

interface Package {
  version: string;
  integrity?: string;
  optional?: boolean;
}
interface Lock {
  packages: Record<string, Package>;
}
const { dependenciesInstalled, missingPackages } = (await import(
  new URL('../../../scripts/dependencies.mjs', import.meta.url).href
)) as {
  dependenciesInstalled(root: string): boolean;
  missingPackages(wanted: Lock, installed: Lock | null): string[];
};

const a = { version: '1.0.0', integrity: 'sha512-a' };
const b = { version: '2.1.0', integrity: 'sha512-b' };
const windowsOnly = { version: '3.0.0', integrity: 'sha512-w', optional: true };
const wanted: Lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': a,
    'node_modules/a/node_modules/b': b,
    'node_modules/w': windowsOnly,
  },
};
const installed: Lock = { packages: { 'node_modules/a': a, 'node_modules/a/node_modules/b': b } };

describe('missingPackages', () => {
  it('finds nothing to do where npm has installed what is wanted, other platforms apart', () => {
    expect(missingPackages(wanted, installed)).toEqual([]);
    const more = { packages: { ...installed.packages, 'node_modules/tried': b } };
    expect(missingPackages(wanted, more)).toEqual([]);
  });

  it.each([
    ['nothing is installed', null, ['node_modules/a', 'node_modules/a/node_modules/b']],
    ['a package is absent', { packages: { 'node_modules/a/node_modules/b': b } }, ['node_modules/a']],
    [
      'another version is there',
      { packages: { ...installed.packages, 'node_modules/a': { ...a, version: '1.0.1' } } },
      ['node_modules/a'],
    ],
    [
      'the same version with other content is there',
      { packages: { ...installed.packages, 'node_modules/a': { ...a, integrity: 'sha512-c' } } },
      ['node_modules/a'],
    ],
    [
      'an optional package is there in another version',
      { packages: { ...installed.packages, 'node_modules/w': { ...windowsOnly, version: '2.0.0' } } },
      ['node_modules/w'],
    ],
  ])('tells what is to be installed where %s', (_, there, missing) => {
    expect(missingPackages(wanted, there)).toEqual(missing);
  });
});

describe('dependenciesInstalled', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'dependencies-'));
    for (const folder of Object.keys(installed.packages)) {
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, folder, 'package.json'), '{}');
    }
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(wanted));
    // As `npm ci` and `npm install` leave it, with nothing of ours beside it.
    writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify(installed));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is satisfied with what npm did by itself', () => {
    expect(dependenciesInstalled(root)).toBe(true);
  });

  it("is not where npm's record, or a package, is gone or the wish has changed", () => {
    rmSync(join(root, 'node_modules/a/node_modules/b'), { recursive: true });
    expect(dependenciesInstalled(root)).toBe(false);
    mkdirSync(join(root, 'node_modules/a/node_modules/b'));
    writeFileSync(join(root, 'node_modules/a/node_modules/b/package.json'), '{}');
    expect(dependenciesInstalled(root)).toBe(true);
    const newer = { packages: { ...wanted.packages, 'node_modules/c': b } };
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(newer));
    expect(dependenciesInstalled(root)).toBe(false);
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(wanted));
    rmSync(join(root, 'node_modules/.package-lock.json'));
    expect(dependenciesInstalled(root)).toBe(false);
  });
});

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../../lib/util/package-root.js';

let app = '';
beforeAll(() => {
  app = realpathSync(mkdtempSync(join(tmpdir(), 'app-')));
  mkdirSync(join(app, 'out'));
  writeFileSync(join(app, 'package.json'), '{ "name": "app" }');
});
afterAll(() => rmSync(app, { recursive: true }));

describe('packageRoot', () => {
  it('is the folder of the package that the code lies in', () => {
    expect(packageRoot()).toBe(resolve(import.meta.dirname, '../../..'));
  });

  it('of code in a bundle is the installed package, else an error that says what to do', () => {
    const bundle = join(app, 'out', 'main.js');
    expect(() => packageRoot(bundle)).toThrow(/main\.js: .*mark 'ristretto' as external/);
    const installed = join(app, 'node_modules', 'ristretto');
    mkdirSync(installed, { recursive: true });
    const manifest = { name: 'ristretto', exports: { './package.json': './package.json' } };
    writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest));
    expect(packageRoot(bundle)).toBe(installed);
  });
});

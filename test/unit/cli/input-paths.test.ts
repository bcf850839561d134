import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkInputPaths } from '../../../lib/cli/input-paths.js';
import type { ArgumentRow, OptionTable } from '../../../lib/cli/options.js';
import { RistrettoError } from '../../../lib/errors/index.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
  file = join(folder, 'file');
  writeFileSync(file, 'x');
});
afterAll(() => rmSync(folder, { recursive: true }));

const table = {
  labels: { kind: 'string', reads: 'file', help: '' },
  weights: { kind: 'string', reads: 'files', help: '' },
  mean: { kind: 'string', reads: 'numbersOrFile', help: '' },
  data: { kind: 'string', reads: 'path', help: '' },
  out: { kind: 'string', help: '' },
} as const satisfies OptionTable;
const places: ArgumentRow[] = [
  { name: 'LISTFILE', reads: 'file', help: '' },
  { name: 'DB_NAME', help: '' },
];

describe('paths that flags and arguments name', () => {
  const check = (values: Record<string, unknown>, positional: string[] = []) =>
    checkInputPaths(values, table, positional, places);

  it('are taken where they are there', () => {
    check({ labels: file, weights: `${file},${file}`, mean: '104,117,123', data: folder, out: 'none' }, [
      file,
      'x',
    ]);
    check({ labels: '/dev/null', mean: file, data: file, weights: undefined });
  });

  it('are named with the flag where they are not, or are folders', () => {
    const gone = join(folder, 'gone');
    const fails = (values: Record<string, string>, message: string, positional: string[] = []) => {
      expect(() => check(values, positional)).toThrow(message);
      expect(() => check(values, positional)).toThrow(RistrettoError);
    };
    fails({ labels: gone }, `${gone}: flag --labels: cannot be read (ENOENT): there is no such file`);
    fails({ labels: folder }, `${folder}: flag --labels: is a folder, not a file`);
    fails({ labels: `${file}/x` }, 'flag --labels: cannot be read (ENOTDIR)');
    fails({ weights: `${file},${gone}` }, `${gone}: flag --weights: cannot`);
    fails({ weights: `${file},` }, `'': flag --weights: cannot`);
    fails({ mean: gone }, `${gone}: flag --mean: cannot`);
    fails({ mean: folder }, `${folder}: flag --mean: is a folder`);
    fails({ data: gone }, `${gone}: flag --data: there is no such file or folder`);
    fails({}, `${gone}: LISTFILE: cannot`, [gone]);
  });
});

it('every flag that takes a file says whether it is read', async () => {
  const commands = join(import.meta.dirname, '../../../lib/cli/commands');
  const tables: [string, OptionTable][] = [];
  for (const name of readdirSync(commands, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.ts'))
      for (const value of Object.values((await import(join(commands, name))) as Record<string, unknown>))
        if (value && typeof value === 'object' && 'options' in value)
          tables.push([name, value.options as OptionTable]);
  expect(tables.length).toBeGreaterThan(10);
  const silent = tables.flatMap(([name, options]) =>
    Object.entries(options)
      // This one is written.
      .filter(([flag, row]) => /FILE|PATH/.test(row.value ?? '') && !row.reads && flag !== 'model_quantized')
      .map(([flag]) => `${name} --${flag}`),
  );
  expect(silent).toEqual([]);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSnapshotOf, snapshotFiles, snapshotsThere } from '../../../lib/solver/snapshot-files.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'ristretto-names-'))));
afterAll(() => rmSync(folder, { recursive: true }));

it('the names that a run may give its snapshots are known', () => {
  const prefix = join(folder, 'net');
  const range = { prefix, first: 3, last: 10, best: false, hdf5: false };
  const names = (iteration: number, hdf5 = false) => Object.values(snapshotFiles(prefix, iteration, hdf5));
  for (const name of [...names(3), ...names(10)]) expect(isSnapshotOf(name, range), name).toBe(true);
  for (const name of [...names(2), ...names(11)]) expect(isSnapshotOf(name, range), name).toBe(false);
  const [model, state] = names(5, true);
  for (const name of [model, state]) {
    expect(isSnapshotOf(name, range)).toBe(false);
    expect(isSnapshotOf(name, { ...range, hdf5: true })).toBe(true);
  }
  expect(isSnapshotOf(`${prefix}_best.caffemodel`, range)).toBe(false);
  expect(isSnapshotOf(`${prefix}_best.caffemodel`, { ...range, best: true })).toBe(true);
  for (const name of [
    'net2_iter_5.caffemodel',
    'net_iter_5.txt',
    'net.caffemodel',
    'a/net_iter_5.caffemodel',
  ])
    expect(isSnapshotOf(join(folder, name), range), name).toBe(false);
  expect(snapshotsThere(range)).toEqual([]);
  for (const name of ['net_iter_4.caffemodel', 'net_iter_40.caffemodel', 'other_iter_4.caffemodel'])
    writeFileSync(join(folder, name), '');
  expect(snapshotsThere(range)).toEqual([join(folder, 'net_iter_4.caffemodel')]);
  expect(snapshotsThere({ ...range, prefix: join(folder, 'gone', 'net') })).toEqual([]);
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RistrettoError } from '../../../lib/errors/index.js';
import {
  create,
  equals,
  readNetHdf5,
  readSolverSnapshot,
  readWeights,
  writeNetBinary,
  writeNetHdf5,
  writeSolverStateHdf5,
} from '../../../lib/proto/index.js';
import { withHdf5File } from '../../../lib/util/index.js';
import { seeded } from './random-message.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const net = create('NetParameter', {
  layer: [
    {
      name: 'conv1',
      blobs: [
        { shape: { dim: [2, 1, 1, 3] }, data: [1, 2, 3, 4, 5, 6] },
        { shape: { dim: [2] }, data: [7, 8] },
      ],
    },
    { name: 'fire2/squeeze', blobs: [{ shape: { dim: [1] }, data: [9] }] },
    { name: 'relu', blobs: [] },
  ],
});

describe('nets', () => {
  it('come back as they were written, names with slashes too', async () => {
    const path = join(folder, 'net.h5');
    await writeNetHdf5(path, net);
    expect(readdirSync(folder)).toContain('net.h5');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(equals(await readNetHdf5(path), net)).toBe(true);
  });

  it('are read by content, whatever the name', async () => {
    const path = join(folder, 'net.caffemodel');
    await writeNetHdf5(path, net);
    expect((await readWeights(path)).layer.map((layer) => layer.name)).toEqual([
      'conv1',
      'fire2/squeeze',
      'relu',
    ]);
    writeNetBinary(path, net);
    expect(equals(await readWeights(path), net)).toBe(true);
  });

  it('may hold doubles, integers, compressed data and scalars', async () => {
    const path = join(folder, 'types.h5');
    await withHdf5File(path, 'w', (file) => {
      const group = file.create_group('data').create_group('a');
      group.create_dataset({ name: '0', data: Float64Array.of(0.1, 2), shape: [2], dtype: '<f8' });
      group.create_dataset({ name: '1', data: BigInt64Array.of(5n), shape: [1], dtype: '<q' });
      group.create_dataset({
        name: '2',
        data: new Float32Array(4096).fill(3),
        shape: [64, 64],
        chunks: [64, 64],
        compression: 'gzip',
      });
      group.create_dataset({ name: '4', data: Float32Array.of(7), shape: [], dtype: '<f4' });
    });
    const { blobs } = (await readNetHdf5(path)).layer[0]!;
    expect(blobs.map((blob) => blob.shape?.dim)).toEqual([[2], [1], [64, 64], undefined, []]);
    expect(blobs[0]!.data).toEqual(Float32Array.of(0.1, 2));
    expect([blobs[1]!.data[0], blobs[2]!.data[4095], blobs[3]!.data.length, blobs[4]!.data[0]]).toEqual([
      5, 3, 0, 7,
    ]);
  });

  it('are refused where the file is no such thing', async () => {
    const text = join(folder, 'text.h5');
    writeFileSync(text, 'not HDF5');
    await expect(readNetHdf5(text)).rejects.toThrow(/text.h5, byte 0: is not an HDF5 file/);
    await expect(readNetHdf5(join(folder, 'none.h5'))).rejects.toThrow(/none.h5: cannot be read/);
    await expect(readWeights(join(folder, 'none.h5'))).rejects.toThrow(/ENOENT/);
    const other = join(folder, 'other.h5');
    await withHdf5File(other, 'w', (file) => void file.create_group('label'));
    await expect(readNetHdf5(other)).rejects.toThrow(/no group 'data'/);
    await withHdf5File(other, 'w', (file) => {
      const group = file.create_group('data').create_group('a');
      group.create_dataset({ name: 'weights', data: Float32Array.of(1) });
    });
    await expect(readNetHdf5(other)).rejects.toThrow(/data\/a\/weights: blobs are named 0, 1/);
    await withHdf5File(other, 'w', (file) => {
      file.create_group('data').create_group('a').create_dataset({ name: '0', data: 'text' });
    });
    await expect(readNetHdf5(other)).rejects.toThrow(/data\/a\/0: does not hold numbers/);
  });

  it('are refused or read when the file is damaged, and the next good one is read', async () => {
    const good = join(folder, 'good.h5');
    await writeNetHdf5(good, net);
    const bytes = readFileSync(good);
    const path = join(folder, 'bad.h5');
    const random = seeded(8);
    for (let round = 0; round < 60; ++round) {
      const bad = Buffer.from(
        bytes.subarray(0, round % 3 === 0 ? Math.floor(random() * bytes.length) : bytes.length),
      );
      for (let i = 0; bad.length > 8 && i < 3; ++i) {
        const at = 8 + Math.floor(random() * Math.min(bad.length - 8, 2000));
        bad[at]! ^= 1 << Math.floor(random() * 8);
      }
      writeFileSync(path, bad);
      try {
        await readNetHdf5(path);
      } catch (error) {
        expect(error).toBeInstanceOf(RistrettoError);
        expect((error as Error).message).toContain('bad.h5');
        expect((error as Error).message).not.toContain('\n');
      }
    }
    expect(equals(await readNetHdf5(good), net)).toBe(true);
  });
});

describe('solver states', () => {
  it('come back as they were written', async () => {
    const path = join(folder, 'a.solverstate.h5');
    const state = create('SolverState', {
      iter: 20_000_001,
      learned_net: 'some/net.caffemodel.h5',
      current_step: 3,
      history: [
        { shape: { dim: [2, 2] }, data: [1, 2, 3, 4] },
        { shape: { dim: [1] }, data: [5] },
      ],
    });
    await writeSolverStateHdf5(path, state);
    expect(equals(await readSolverSnapshot(path), state)).toBe(true);
    const net = join(folder, 'just-a-net.h5');
    await withHdf5File(net, 'w', (file) => void file.create_group('data'));
    await expect(readSolverSnapshot(net)).rejects.toThrow(/no 'iter': not a solver's state/);
  });
});

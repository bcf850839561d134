import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LevelDbSource } from '../../../lib/data/level-db.js';
import { create, encode } from '../../../lib/proto/index.js';
import { dataNet } from './one-layer-net.js';

let folder: string;
const inside = (name: string) => join(folder, name);

/** Datums of one pixel: the record's number. Written backwards: the order of keys counts. */
async function write(name: string, count: number, tables = false): Promise<void> {
  const database = new ClassicLevel<string, Uint8Array>(inside(name), { valueEncoding: 'view' });
  await database.open();
  for (let i = count - 1; i >= 0; i--) {
    const datum = create('Datum', { channels: 1, height: 1, width: 1, data: Uint8Array.of(i), label: i });
    await database.put(`${String(i).padStart(8, '0')}_x`, encode(datum));
  }
  if (tables) await database.compactRange('0', '9');
  await database.close();
}

const net = (name: string, batch: number, options = {}) =>
  dataNet(
    `layer { name: "d" type: "Data" top: "data" top: "label"
      data_param { source: "${inside(name)}" batch_size: ${batch} backend: LEVELDB } }`,
    options,
  );

const content = (name: string) =>
  readdirSync(inside(name)).map((file) => [file, readFileSync(join(inside(name), file)).toString('hex')]);
const views = () => readdirSync(tmpdir()).filter((name) => name.startsWith('ristretto-leveldb-'));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
  await write('log', 50);
  await write('tables', 50, true);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('LevelDB', () => {
  it.each(['log', 'tables'])('is read in the order of its keys, round and round (%s)', async (name) => {
    expect(readdirSync(inside(name)).some((file) => file.endsWith('.ldb'))).toBe(name === 'tables');
    const reader = await net(name, 35);
    try {
      for (let pass = 0; pass < 3; pass++) {
        await reader.forward();
        const expected = Array.from({ length: 35 }, (_, i) => (pass * 35 + i) % 50);
        expect([...reader.blob('label').data]).toEqual(expected);
        expect([...reader.blob('data').data]).toEqual(expected);
      }
    } finally {
      await reader.close();
    }
  });

  it('stays as it is, and is read twice at once', async () => {
    const before = content('log');
    const readers = [await net('log', 2), await net('log', 3)];
    const other = new ClassicLevel(inside('log'));
    // Nobody holds its lock.
    await other.open();
    await other.close();
    const after = content('log');
    for (const reader of readers) await reader.forward();
    expect([...readers[1].blob('label').data]).toEqual([0, 1, 2]);
    await readers[0].close();
    await readers[1].forward();
    expect([...readers[1].blob('label').data]).toEqual([3, 4, 5]);
    await readers[1].close();
    // Only the other one changed it.
    expect(content('log')).toEqual(after);
    expect(after).not.toEqual(before);
  });

  it('may lie in a folder that cannot be written to', async () => {
    await write('sealed', 4);
    const before = content('sealed');
    chmodSync(inside('sealed'), 0o555);
    const reader = await net('sealed', 4);
    await reader.forward();
    expect([...reader.blob('label').data]).toEqual([0, 1, 2, 3]);
    await reader.close();
    chmodSync(inside('sealed'), 0o755);
    expect(content('sealed')).toEqual(before);
  });

  it('leaves no view behind', async () => {
    const before = views();
    const source = await LevelDbSource.open(inside('tables'), 'native');
    expect(views().length).toBe(before.length + 1);
    await source.close();
    expect(views()).toEqual(before);
  });

  it('says what is wrong with it', async () => {
    mkdirSync(inside('empty'));
    await expect(net('empty', 1)).rejects.toThrow(/empty: layer 'd': is neither an LMDB .* nor a LevelDB/);
    writeFileSync(join(inside('empty'), 'CURRENT'), 'MANIFEST-000001\n');
    await expect(net('empty', 1)).rejects.toThrow(/empty: layer 'd': cannot be opened as LevelDB: /);
    rmSync(join(inside('empty'), 'CURRENT'));
    await write('log', 3);
    const log = readdirSync(inside('log')).find((file) => file.endsWith('.log'))!;
    writeFileSync(join(inside('log'), log), Buffer.alloc(5000, 7));
    await expect(net('log', 1)).rejects.toThrow(/log: layer 'd': .*\.log is damaged, \d+ bytes/);
    cpSync(inside('log'), inside('bare'), { recursive: true });
    for (const file of readdirSync(inside('bare')))
      if (file.startsWith('MANIFEST')) rmSync(join(inside('bare'), file));
    await expect(net('bare', 1)).rejects.toThrow(/bare: layer 'd': .* \S*\/bare\/MANIFEST-\d+: No such file/);
    await write('none', 0);
    await expect(net('none', 1)).rejects.toThrow(/none: layer 'd': holds no records/);
  });

  it('survives damaged tables and corrupt Datums', async () => {
    await write('cut', 200, true);
    for (const file of readdirSync(inside('cut')))
      if (file.endsWith('.ldb')) truncateSync(join(inside('cut'), file), 300);
    await expect(net('cut', 1)).rejects.toThrow(/cut: layer 'd': /);

    await write('corrupt', 3);
    const database = new ClassicLevel<string, Uint8Array>(inside('corrupt'), { valueEncoding: 'view' });
    await database.put('00000001_x', Uint8Array.of(0x22, 0xff));
    await database.close();
    const strict = await net('corrupt', 3);
    await expect(strict.forward()).rejects.toThrow(/corrupt: layer 'd': record '00000001_x': corrupt/);
    await strict.close();
    const lenient = await net('corrupt', 3, { skipBad: true });
    await lenient.forward();
    expect([...lenient.blob('label').data]).toEqual([0, 2, 0]);
    await lenient.close();
  });
});

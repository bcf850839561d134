import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hdf5Limits, type HDF5Data } from '../../../lib/data/hdf5-data.js';
import type { Net, NetOptions } from '../../../lib/graph/index.js';
import { withHdf5File } from '../../../lib/util/index.js';
import { dataNet } from './one-layer-net.js';

let folder: string;
let net: Net | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
  await write('a.h5', 5, 0);
  await write('b.h5', 3, 5);
  list('list.txt', 'a.h5\nb.h5\n');
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await net?.close();
  net = undefined;
});

/** Rows number `first` on: label is the row's number, data is (number, number + 0.5). */
function write(name: string, rows: number, first: number, width = 2, labels = rows): Promise<void> {
  return withHdf5File(join(folder, name), 'w', (file) => {
    const data = Float32Array.from(
      { length: rows * width },
      (_, i) => first + Math.floor(i / width) + (i % width) / 2,
    );
    file.create_dataset({ name: 'data', data, shape: [rows, 1, width], dtype: '<f4' });
    const numbers = Int32Array.from({ length: labels }, (_, i) => first + i);
    file.create_dataset({ name: 'label', data: numbers, shape: [labels], dtype: '<i' });
  });
}
const list = (name: string, text: string) => writeFileSync(join(folder, name), text);

const layer = (source: string, rest = 'batch_size: 4', more = '', tops = ['data', 'label']) =>
  `layer { name: "h" type: "HDF5Data" ${tops.map((top) => `top: "${top}"`).join(' ')}
    hdf5_data_param { source: "${source}" ${rest} } ${more} }`;
const open = async (text: string, options: Partial<NetOptions> = {}) =>
  (net = await dataNet(text, { baseFolder: folder, ...options }));

async function labels(passes: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < passes; i++) {
    await net!.forward();
    const rows = [...net!.blob('label').data];
    expect([...net!.blob('data').data]).toEqual(rows.flatMap((row) => [row, row + 0.5]));
    all.push(...rows);
  }
  return all;
}

describe('HDF5Data', () => {
  it('serves the rows of all files in order, round and round', async () => {
    await open(layer('list.txt'));
    expect(net!.shapes.get('data')).toEqual([4, 1, 2]);
    expect(net!.shapes.get('label')).toEqual([4]);
    expect(await labels(3)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]);
  });

  it('fills a batch larger than all files', async () => {
    await open(layer('list.txt', 'batch_size: 10'));
    expect(await labels(1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
  });

  it('starts over and anywhere', async () => {
    await open(layer('list.txt', 'batch_size: 3'));
    const data = net!.layer('h').layer as HDF5Data;
    expect(data.recordCount).toBe(8);
    await labels(1);
    expect(data.position).toBe(3);
    data.rewind();
    expect(await labels(1)).toEqual([0, 1, 2]);
    data.seek(14);
    expect(await labels(1)).toEqual([6, 7, 0]);
  });

  it('shuffles by the seed: every row once in a pass, in another order in the next', async () => {
    const run = async (seed: number, passes: number) => {
      await open(layer('list.txt', 'batch_size: 8 shuffle: true'), { seed });
      const rows = await labels(passes);
      await net!.close();
      return rows;
    };
    const rows = await run(1, 2);
    const sorted = (part: number[]) => [...part].sort((a, b) => a - b);
    expect(sorted(rows.slice(0, 8))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(sorted(rows.slice(8))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rows.slice(8)).not.toEqual(rows.slice(0, 8));
    expect(await run(1, 2)).toEqual(rows);
    expect(await run(2, 2)).not.toEqual(rows);
  });

  it('reshuffles a single file too', async () => {
    await open(layer('a.h5', 'batch_size: 5 shuffle: true'), { seed: 4 });
    const rows = await labels(2);
    expect(new Set(rows.slice(0, 5)).size).toBe(5);
    expect(rows.slice(5)).not.toEqual(rows.slice(0, 5));
  });

  it('serves the same of files that are too large to be held', async () => {
    const rows = async (rest: string) => {
      await open(layer('list.txt', rest));
      const served = await labels(5);
      await net!.close();
      return served;
    };
    const held = [await rows('batch_size: 3'), await rows('batch_size: 3 shuffle: true')];
    const limits = { ...hdf5Limits };
    try {
      // A row has three numbers.
      Object.assign(hdf5Limits, { file: 11, window: 24 });
      expect(await rows('batch_size: 3')).toEqual(held[0]);
      expect(await rows('batch_size: 3 shuffle: true')).toEqual(held[1]);
      Object.assign(hdf5Limits, { window: 1 });
      expect(await rows('batch_size: 3')).toEqual(held[0]);
    } finally {
      Object.assign(hdf5Limits, limits);
    }
  });

  it('takes lists as people write them', async () => {
    await write('with blank.h5', 2, 20);
    for (const text of [
      '\ufeffa.h5\r\nwith blank.h5\r\n',
      '\n a.h5 \n\n\twith blank.h5\t\n\n',
      'a.h5\rwith blank.h5',
    ]) {
      list('written.txt', text);
      await open(layer('written.txt', 'batch_size: 7'));
      expect(await labels(1)).toEqual([0, 1, 2, 3, 4, 20, 21]);
      await net!.close();
    }
    list('one line.txt', 'a.h5 b.h5\n');
    await open(layer('one line.txt', 'batch_size: 8'));
    expect(await labels(1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('reads another source where one is given', async () => {
    await open(layer('nowhere.txt', 'batch_size: 3'), { dataSource: join(folder, 'b.h5') });
    expect(await labels(1)).toEqual([5, 6, 7]);
  });

  it('tells what is wrong, with file, layer and field', async () => {
    const fails = (text: string, message: RegExp) => expect(open(text)).rejects.toThrow(message);
    await fails(
      layer('none.txt'),
      /none\.txt: layer 'h': hdf5_data_param\.source: cannot be read \(ENOENT\)/,
    );
    await fails(layer(''), /layer 'h': hdf5_data_param\.source: no list/);
    await fails(layer('.'), /layer 'h': hdf5_data_param\.source: is a folder, not a file/);
    writeFileSync(join(folder, 'utf16.txt'), Buffer.from('\ufeffa.h5\n', 'utf16le'));
    await fails(
      layer('utf16.txt'),
      /utf16\.txt: layer 'h': hdf5_data_param\.source: is UTF-16: save it as UTF-8/,
    );
    list('empty.txt', ' \n');
    await fails(layer('empty.txt'), /empty\.txt: layer 'h': .*lists no HDF5 file/);
    list('gone.txt', 'a.h5\ngone.h5');
    await fails(layer('gone.txt'), /gone\.h5: layer 'h': cannot be read \(ENOENT\).*gone\.txt, line 2/);
    list('text.txt', 'list.txt');
    await fails(layer('text.txt'), /list\.txt: layer 'h': is not an HDF5 file/);
    await fails(
      layer('list.txt', 'batch_size: 4', '', ['data', 'lable']),
      /a\.h5: layer 'h': lable: no such dataset/,
    );
    await fails(layer('list.txt', 'batch_size: 0'), /hdf5_data_param\.batch_size/);
    await fails(
      layer('list.txt', 'batch_size: 1', 'transform_param { scale: 2 }'),
      /layer 'h': transform_param: /,
    );
  });

  it('refuses files that do not fit together', async () => {
    await write('wide.h5', 3, 0, 5);
    list('wide.txt', 'a.h5 wide.h5');
    await expect(open(layer('wide.txt'))).rejects.toThrow(
      /wide\.h5: layer 'h': data: rows of shape \(1, 5\); those of .*a\.h5 are \(1, 2\)/,
    );
    await write('uneven.h5', 3, 0, 2, 2);
    await expect(open(layer('uneven.h5'))).rejects.toThrow(
      /uneven\.h5: layer 'h': label: has 2 rows, 'data' has 3/,
    );
    await withHdf5File(join(folder, 'odd.h5'), 'w', (file) => {
      file.create_dataset({ name: 'data', data: ['x', 'y'] });
      file.create_group('label');
    });
    await expect(open(layer('odd.h5'))).rejects.toThrow(/odd\.h5: layer 'h': data: does not hold numbers/);
    await expect(open(layer('odd.h5', 'batch_size: 1', '', ['label']))).rejects.toThrow(
      /label: no such dataset/,
    );
  });

  it('survives a truncated file', async () => {
    await write('cut.h5', 400, 0);
    truncateSync(join(folder, 'cut.h5'), 3000);
    await expect(open(layer('cut.h5'))).rejects.toThrow(/cut\.h5: layer 'h'/);
  });
});

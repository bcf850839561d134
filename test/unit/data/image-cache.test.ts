import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ImageCache } from '../../../lib/data/image-cache.js';
import type { DecodedRecord } from '../../../lib/data/record.js';
import { encodedDatum, openLayer, png, temporaryFolder, writeLmdb } from './sources.js';

const folder = temporaryFolder();

function record(megabytes: number): DecodedRecord {
  const data = new Uint8Array(megabytes * 2 ** 20);
  return {
    key: 'k',
    data,
    channels: 1,
    height: 1,
    width: data.length,
    layout: 'interleaved',
    label: 0,
    decoded: true,
  };
}

it('keeps the first records, up to one bound for all sources', () => {
  const a = ImageCache.acquire('a');
  const b = ImageCache.acquire('b');
  const big = record(50);
  a.offer(0, big);
  b.offer(0, big);
  b.offer(1, big);
  expect([a.get(0), b.get(0), b.get(1)]).toEqual([big, big, undefined]);
  expect(ImageCache.usedBytes).toBe(100 * 2 ** 20);
  b.offer(2, record(20));
  expect(b.get(2)).toBeDefined();
  a.offer(5, { ...record(1), decoded: false });
  expect(a.get(5)).toBeUndefined();
  a.release();
  expect(ImageCache.usedBytes).toBe(70 * 2 ** 20);
  b.release();
  expect(ImageCache.usedBytes).toBe(0);
});

it('is shared by the layers that read one source, and freed with the last', async () => {
  const records = await Promise.all(
    [0, 1, 2, 3].map(async (i) => [`${i}`, encodedDatum(await png(8, 8, 3, i), i)] as const),
  );
  const source = await writeLmdb(join(folder, 'shared'), records);
  const text = `layer { name: "d" type: "Data" top: "data" top: "label"
    data_param { source: "${source}" batch_size: 4 } }`;
  const [a, b] = await Promise.all([openLayer(text), openLayer(text)]);
  const first = await a.next();
  for (let pass = 0; pass < 5; pass++) {
    expect((await a.next()).data).toEqual(first.data);
    expect((await b.next()).data).toEqual(first.data);
    expect(ImageCache.usedBytes).toBe(4 * 192);
  }
  await a.close();
  expect(ImageCache.usedBytes).toBe(4 * 192);
  await b.close();
  expect(ImageCache.usedBytes).toBe(0);
});

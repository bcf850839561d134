import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { splitDatabase } from '../../../lib/data/index.js';
import { LmdbReader, LmdbWriter } from '../../../lib/native/index.js';

const folder = mkdtempSync(join(tmpdir(), 'split-database-'));
afterAll(() => rmSync(folder, { recursive: true }));

const source = join(folder, 'source');
async function makeSource(records: number): Promise<void> {
  rmSync(source, { recursive: true, force: true });
  const writer = new LmdbWriter(source);
  await writer.put(
    Array.from({ length: records }, (_, i) => [String(i).padStart(4, '0'), Uint8Array.of(i, i + 1)] as const),
  );
  await writer.close();
}

async function keysOf(path: string): Promise<string[]> {
  const reader = new LmdbReader(path);
  const records = await reader.read(0, reader.entries);
  reader.close();
  for (const { key, value } of records) expect([...value]).toEqual([Number(key), Number(key) + 1]);
  return records.map(({ key }) => key);
}

describe('splitDatabase', () => {
  it.each([
    [7, 2, [0, 2, 4, 6], [1, 3, 5]],
    [7, 3, [0, 1, 3, 4, 6], [2, 5]],
  ])('deals %i records out, every %i', async (records, every, first, second) => {
    await makeSource(records);
    const out = [join(folder, `first-${every}`), join(folder, `second-${every}`)] as const;
    const counts = await splitDatabase({ data: source, first: out[0], second: out[1], every });
    expect(counts).toEqual({ first: first.length, second: second.length });
    const names = (list: number[]) => list.map((i) => String(i).padStart(4, '0'));
    expect(await keysOf(out[0])).toEqual(names(first));
    expect(await keysOf(out[1])).toEqual(names(second));
  });

  it('writes nothing where something is amiss', async () => {
    await makeSource(5);
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    const split = (more: object) => splitDatabase({ data: source, first: a, second: b, ...more });
    await expect(split({ every: 1 })).rejects.toThrow(/every.*at least 2/);
    await expect(split({ second: a })).rejects.toThrow(/the same file as the first part/);
    await expect(split({ data: folder })).rejects.toThrow(/not an LMDB/);
    await expect(split({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow(/stopped/);
    mkdirSync(b);
    await expect(split({})).rejects.toThrow(/exists already/);
    expect(existsSync(a)).toBe(false);
  });
});

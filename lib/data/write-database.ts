import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type * as ClassicLevelModule from 'classic-level';
import { DataError, isError } from '../errors/index.js';
import { LmdbWriter } from '../native/index.js';
import { loadDependency } from '../util/dependency.js';
import { assertWritable } from '../util/index.js';

export type Backend = 'lmdb' | 'leveldb';

/** Takes records whose keys ascend; each put is on the disk as a whole or not at all. */
export interface DatabaseWriter {
  put(records: readonly (readonly [key: string, value: Uint8Array])[]): Promise<void>;
  close(): void | Promise<void>;
}

async function openLevelDb(folder: string): Promise<DatabaseWriter> {
  const { ClassicLevel } = loadDependency<typeof ClassicLevelModule>('classic-level');
  const database = new ClassicLevel<string, Uint8Array>(folder, {
    createIfMissing: true,
    errorIfExists: true,
    valueEncoding: 'view',
    blockSize: 65536,
    writeBufferSize: 64 * 2 ** 20,
  });
  await database.open();
  return {
    put: (records) =>
      database.batch(
        records.map(([key, value]) => ({ type: 'put' as const, key, value })),
        { sync: true },
      ),
    close: () => database.close(),
  };
}

/** Throws where no database can be made at this path; to be asked before long work. */
export function assertNewDatabase(out: string): void {
  if (lstatSync(out, { throwIfNoEntry: false }))
    throw new DataError('exists already; remove it or write elsewhere', { file: out });
  assertWritable(out);
}

/**
 * Makes a database at a path where nothing is yet. It is written into a folder beside it and renamed when `fill`
 * is done: whatever fails, the path holds a whole database or nothing.
 */
export async function writeDatabase<T>(
  out: string,
  backend: Backend,
  fill: (writer: DatabaseWriter) => Promise<T>,
): Promise<T> {
  assertNewDatabase(out);
  const target = resolve(out);
  const unique = `${process.pid}.${randomBytes(4).toString('hex')}`;
  const temporary = join(dirname(target), `.${basename(target)}.${unique}.tmp`);
  try {
    const writer = backend === 'lmdb' ? new LmdbWriter(temporary) : await openLevelDb(temporary);
    let result: T;
    try {
      result = await fill(writer);
    } finally {
      await writer.close();
    }
    renameSync(temporary, target);
    return result;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const { message } = error as Error;
    if (!isError(error) || !message.includes(temporary)) throw error;
    const reason = message.replace(`${temporary}: `, '').replaceAll(temporary, target);
    throw new DataError(reason, { file: out, cause: error });
  }
}

import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import type * as ClassicLevelModule from 'classic-level';
import { DataError, isError } from '../errors/index.js';
import { LmdbWriter } from '../native/index.js';
import { loadDependency } from '../util/dependency.js';
import {
  assertWritable,
  lockOutput,
  putInPlace,
  removeTemporary,
  temporaryFor,
  type OutputLock,
} from '../util/index.js';

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
  return writeDatabases([out], backend, ([writer]) => fill(writer));
}

/** The same for several databases that belong together: they get their names when all of them are done. */
export async function writeDatabases<T>(
  outs: readonly string[],
  backend: Backend,
  fill: (writers: readonly DatabaseWriter[]) => Promise<T>,
): Promise<T> {
  outs.forEach(assertNewDatabase);
  const locks: OutputLock[] = [];
  const made: { out: string; target: string; temporary: string }[] = [];
  try {
    for (const out of outs) locks.push(lockOutput(out));
    // Another run may have made one and let go of it since.
    outs.forEach(assertNewDatabase);
    const writers: DatabaseWriter[] = [];
    let result: T;
    try {
      for (const out of outs) {
        const target = resolve(out);
        const temporary = temporaryFor(target);
        made.push({ out, target, temporary });
        writers.push(backend === 'lmdb' ? new LmdbWriter(temporary) : await openLevelDb(temporary));
      }
      result = await fill(writers);
    } finally {
      for (const writer of writers) await writer.close();
    }
    for (const { target, temporary } of made) putInPlace(temporary, target);
    return result;
  } catch (error) {
    const { message } = error as Error;
    const failed = made.find(({ temporary }) => isError(error) && message.includes(temporary));
    if (!failed) throw error;
    const { out, target, temporary } = failed;
    const reason = message.replace(`${temporary}: `, '').replaceAll(temporary, target);
    throw new DataError(reason, { file: out, cause: error });
  } finally {
    for (const { temporary } of made) removeTemporary(temporary);
    for (const lock of locks) lock.release();
  }
}

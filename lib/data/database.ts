import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors/index.js';
import { unreadable } from '../util/index.js';
import type { ColorMode } from './decode-image.js';
import { LevelDbSource } from './level-db.js';
import { LmdbSource } from './lmdb.js';
import type { RecordSource } from './record.js';

/** What a path holds, as far as it can be told from the outside. */
export type DataKind = 'lmdb' | 'leveldb' | 'folder' | 'file';

/** LMDB's magic number, and where it stands: in files of 64-bit and 32-bit machines and of the npm package lmdb. */
const lmdbMagic = 0xbeefc0de;
const lmdbMagicOffsets = [16, 12, 24];

/** Whether a file is an LMDB, whatever its name: a database may be a single file without a folder (MDB_NOSUBDIR). */
function isLmdbFile(path: string): boolean {
  const head = Buffer.alloc(32);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return lmdbMagicOffsets.some(
    (offset) => head.readUInt32LE(offset) === lmdbMagic || head.readUInt32BE(offset) === lmdbMagic,
  );
}

/** Tells databases, other folders and files apart; a path that does not exist is an error. */
export function dataKindOf(path: string, place: { layer?: string } = {}): DataKind {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      // What may not be looked into seems empty.
      accessSync(path, constants.R_OK | constants.X_OK);
      if (existsSync(join(path, 'data.mdb'))) return 'lmdb';
      return existsSync(join(path, 'CURRENT')) ? 'leveldb' : 'folder';
    }
    return path.endsWith('.mdb') || (stat.isFile() && isLmdbFile(path)) ? 'lmdb' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file or folder' : unreadable(code);
    throw new DataError(reason, { file: path, ...place, cause: error });
  }
}

/** Opens an LMDB or LevelDB of Datums; which of the two it is, the files say. */
export async function openDatabase(path: string, mode: ColorMode, layer?: string): Promise<RecordSource> {
  switch (dataKindOf(path, { layer })) {
    case 'lmdb':
      return new LmdbSource(path, mode, layer);
    case 'leveldb':
      return LevelDbSource.open(path, mode, layer);
    default:
      throw new DataError('is neither an LMDB (a folder with data.mdb) nor a LevelDB', { file: path, layer });
  }
}

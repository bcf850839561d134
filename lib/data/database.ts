import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors/index.js';
import type { ColorMode } from './decode-image.js';
import { LevelDbSource } from './level-db.js';
import { LmdbSource } from './lmdb.js';
import type { RecordSource } from './record.js';

/** What a path holds, as far as it can be told from the outside. */
export type DataKind = 'lmdb' | 'leveldb' | 'folder' | 'file';

/** Tells databases, other folders and files apart; a path that does not exist is an error. */
export function dataKindOf(path: string, place: { layer?: string } = {}): DataKind {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DataError('there is no such file or folder', { file: path, ...place });
  if (stat.isDirectory())
    return existsSync(join(path, 'data.mdb'))
      ? 'lmdb'
      : existsSync(join(path, 'CURRENT'))
        ? 'leveldb'
        : 'folder';
  return path.endsWith('.mdb') ? 'lmdb' : 'file';
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

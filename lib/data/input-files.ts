import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { filesNamedBy, type NamedFile, type NetParameter } from '../proto/index.js';
import { isHdf5File, readListFile, type NamedPath } from '../util/index.js';
import { dataKindOf, type DataKind } from './database.js';
import { readImageList } from './image-list.js';

/** What a path holds; null where nothing is, which whoever reads it says. */
function kindOrNull(path: string): DataKind | null {
  try {
    return dataKindOf(path);
  } catch {
    return null;
  }
}

/** The files that a list names, of images (behind a root folder, as it stands) or of HDF5 data. */
function listedFiles(list: string, content: NamedFile['content'], rootFolder: string): string[] {
  // The data itself, not a list of it.
  if (isHdf5File(list)) return [];
  if (content === 'images')
    return readImageList(list, { rootFolder, needsLabel: false }).map(({ path }) => path);
  return readListFile(list)
    .flatMap(({ text }) => (existsSync(text) ? [text] : text.split(/[ \t]+/)))
    .map((name) => resolve(name));
}

/** What is read at a path: a database, a folder, a list and the files that it lists. */
export function inputFile(
  path: string,
  what: string,
  content: NamedFile['content'],
  rootFolder = '',
): NamedPath {
  const kind = kindOrNull(path);
  const lists = kind === 'file' && (content === 'images' || content === 'hdf5');
  return {
    path,
    what,
    // Nothing may be written into a database.
    closed: kind === 'lmdb' || kind === 'leveldb',
    listed: lists ? () => listedFiles(path, content, rootFolder) : undefined,
  };
}

/** The files that a net's definition names, as inputs of a run; `file` is where it stands. */
export function inputFilesOf(net: NetParameter, file: string): NamedPath[] {
  return filesNamedBy(net).map(({ path, layer, field, content, rootFolder }) =>
    inputFile(path, `${field} of layer '${layer}' in ${file}`, content, rootFolder),
  );
}

import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DataError } from '../errors/index.js';
import type { ImageEntry } from './image-files.js';

const IMAGE_EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.gif']);

async function sortedNames(folder: string, wanted: 'folders' | 'images', layer?: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) =>
        wanted === 'folders'
          ? entry.isDirectory()
          : !entry.isDirectory() && IMAGE_EXTENSIONS.has(extname(entry.name).toLowerCase()),
      )
      .map(({ name }) => name)
      .sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DataError(`cannot be read (${code})`, { file: folder, layer, cause: error });
  }
}

/**
 * The images of a folder that holds one folder per class. Labels are the places of the class folders in the
 * order of their names. Classes take turns, so that a few batches already see all of them.
 */
export async function imageFolderEntries(root: string, layer?: string): Promise<ImageEntry[]> {
  const classes = await sortedNames(root, 'folders', layer);
  const images = await Promise.all(classes.map((name) => sortedNames(join(root, name), 'images', layer)));
  const longest = images.reduce((most, { length }) => Math.max(most, length), 0);
  const entries: ImageEntry[] = [];
  for (let round = 0; round < longest; round++)
    for (const [label, files] of images.entries())
      if (round < files.length)
        entries.push({
          name: `${classes[label]}/${files[round]}`,
          path: join(root, classes[label], files[round]),
          label,
        });
  if (entries.length === 0)
    throw new DataError(
      'holds no images: a folder per class with images in it is expected, or data.mdb (LMDB), or a LevelDB',
      { file: root, layer },
    );
  return entries;
}

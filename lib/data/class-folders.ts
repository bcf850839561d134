import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, MachineError, shortageOf } from '../errors/index.js';
import { someOf } from '../util/some-of.js';
import { warn } from '../util/warnings.js';
import { IMAGE_START_BYTES, isImage, isImageName } from './decode-image.js';
import type { ImageEntry } from './image-files.js';

/** Files that are looked into at once. */
const LOOKED_INTO = 16;

/** What a folder holds, each in the order of its names. */
interface Contents {
  folders: string[];
  files: string[];
}

async function contentsOf(folder: string, layer?: string): Promise<Contents> {
  try {
    const contents: Contents = { folders: [], files: [] };
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const isFolder = entry.isSymbolicLink()
        ? await stat(join(folder, entry.name)).then(
            (target) => target.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      (isFolder ? contents.folders : contents.files).push(entry.name);
    }
    for (const names of [contents.folders, contents.files]) names.sort((a, b) => (a < b ? -1 : 1));
    return contents;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DataError(`cannot be read (${code})`, { file: folder, layer, cause: error });
  }
}

/** Whether a file without an image's ending starts as one. One that may not be opened does not. */
async function startsAsImage(path: string): Promise<boolean> {
  try {
    // Opening anything but a file may wait for ever.
    if (!(await stat(path)).isFile()) return false;
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(
        new Uint8Array(IMAGE_START_BYTES),
        0,
        IMAGE_START_BYTES,
        0,
      );
      return isImage(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    const shortage = shortageOf(error);
    if (shortage) throw new MachineError(shortage, { file: path, cause: error });
    return false;
  }
}

/** The names of `files` that are images, by their endings or else by how they start. */
async function imagesOf(folder: string, files: readonly string[]): Promise<Set<string>> {
  const images = new Set(files.filter(isImageName));
  const others = files.filter((name) => !images.has(name));
  const worker = async () => {
    for (let name = others.pop(); name !== undefined; name = others.pop())
      if (await startsAsImage(join(folder, name))) images.add(name);
  };
  await Promise.all(Array.from({ length: LOOKED_INTO }, worker));
  return images;
}

/**
 * The images of a folder that holds one folder per class. Labels are the places of the class folders in the
 * order of their names. Classes take turns, so that a few batches already see all of them. What is left out, because
 * it is no image or lies in no class folder, is told in a warning; a class without images is an error.
 */
export async function imageFolderEntries(root: string, layer?: string): Promise<ImageEntry[]> {
  const { folders: classes, files: strays } = await contentsOf(root, layer);
  const leftOut = [...strays];
  const images: string[][] = [];
  const empty: string[] = [];
  for (const name of classes) {
    const { folders, files } = await contentsOf(join(root, name), layer);
    const found = await imagesOf(join(root, name), files);
    images.push(files.filter((file) => found.has(file)));
    if (found.size === 0) empty.push(name);
    leftOut.push(...files.filter((file) => !found.has(file)).map((file) => `${name}/${file}`));
    leftOut.push(...folders.map((folder) => `${name}/${folder}/`));
  }
  const left = leftOut.length > 0 ? `; left out, as no images: ${someOf(leftOut)}` : '';
  if (empty.length === classes.length)
    throw new DataError(
      'holds no images: a folder per class with images in it is expected, or data.mdb (LMDB), or a LevelDB' +
        left,
      { file: root, layer },
    );
  if (empty.length > 0)
    throw new DataError(
      `holds no images of ${empty.length === 1 ? 'class' : 'classes'} ${someOf(empty)}: fill or remove what stands for no class${left}`,
      { file: root, layer },
    );
  if (leftOut.length > 0)
    warn(
      `${root}: ${leftOut.length} ${leftOut.length === 1 ? 'entry is' : 'entries are'} left out, as no images of a class: ${someOf(leftOut)}`,
    );

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
  return entries;
}

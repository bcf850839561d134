import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTemporary, keepTemporary } from '../util/index.js';

/** The files that make up a LevelDB; its lock and its own log are not among them. */
const PARTS = /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|sst|log))$/;

/**
 * Makes a folder of links to a LevelDB's files. LevelDB locks the folder that it opens, and tidies up and writes
 * there even if it is only read; in a view it may: the database stays as it is, may lie in a folder that cannot
 * be written to, and be read by several processes at once. Remove the view with `removeView`.
 */
export async function makeView(database: string): Promise<string> {
  const view = addTemporary(await mkdtemp(join(tmpdir(), 'ristretto-leveldb-')));
  try {
    for (const name of await readdir(database))
      if (PARTS.test(name)) await symlink(join(database, name), join(view, name));
  } catch (error) {
    await removeView(view);
    throw error;
  }
  return view;
}

export async function removeView(view: string): Promise<void> {
  await rm(view, { recursive: true, force: true });
  keepTemporary(view);
}

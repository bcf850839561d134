import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { RistrettoError } from '../errors/index.js';
import { descriptorOf, isSpecialFile, realTarget } from './real-path.js';
import { keepTemporary, removeTemporary, temporaryFor } from './temporaries.js';

/** Takes bytes in order. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** How long is waited for the reader of a full pipe before it is looked at again. */
const PIPE_MILLISECONDS = 5;

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) {
    try {
      // 1 GiB at a time: the operating system cuts a single write of more than 2 GiB short.
      done += writeSync(descriptor, bytes, done, Math.min(bytes.byteLength - done, 2 ** 30));
    } catch (error) {
      // Node has standard output's pipe not block.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_MILLISECONDS);
    }
  }
}

function cannotWrite(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof RistrettoError || !code) return error;
  return new RistrettoError(`cannot be written (${code})`, { file: path, cause: error });
}

/** Brings a finished temporary file to the disk and to its final name. */
function commit(temporary: string, target: string): void {
  const descriptor = openSync(temporary, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  putInPlace(temporary, target);
}

/** Gives a finished temporary file or folder its final name, durably. */
export function putInPlace(temporary: string, target: string): void {
  renameSync(temporary, target);
  keepTemporary(temporary);
  syncFolder(dirname(target));
}

/**
 * Writes a file so that its path holds either the old content or the whole of the new one, whatever happens:
 * into a temporary file in the same folder, to the disk, then renamed. `content` is a text, bytes, or a
 * function that writes to the sink it is given.
 */
export function writeFileAtomic(path: string, content: Content): void {
  if (isSpecialFile(path)) return writeInto(path, content);
  const target = realTarget(path);
  const temporary = temporaryFor(target);
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeContent(descriptor, content);
    } finally {
      closeSync(descriptor);
    }
    commit(temporary, target);
  } catch (error) {
    removeTemporary(temporary);
    throw cannotWrite(path, error);
  }
}

type Content = string | Uint8Array | ((sink: ByteSink) => void);

function writeContent(descriptor: number, content: Content): void {
  const sink: ByteSink = { write: (bytes) => writeAll(descriptor, bytes) };
  if (typeof content === 'function') content(sink);
  else sink.write(typeof content === 'string' ? Buffer.from(content) : content);
}

/** Writes to what cannot be replaced: a device, a pipe, or an open file of this process, where it stands. */
function writeInto(path: string, content: Content): void {
  const open = descriptorOf(path);
  try {
    const descriptor = open ?? openSync(path, 'w');
    try {
      writeContent(descriptor, content);
    } finally {
      if (open === null) closeSync(descriptor);
    }
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** As writeFileAtomic, for writers that want a path: `write` makes the file at the path it is given. */
export async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const special = isSpecialFile(path);
  const target = realTarget(path);
  // What goes into a pipe is made where files may lie.
  const temporary = temporaryFor(special ? join(tmpdir(), 'ristretto') : target);
  try {
    await write(temporary);
    if (special) {
      writeInto(path, readFileSync(temporary));
      removeTemporary(temporary);
    } else commit(temporary, target);
  } catch (error) {
    removeTemporary(temporary);
    throw cannotWrite(path, error);
  }
}

/** Makes a rename durable. Some file systems refuse to sync a folder; the data itself is safe by then. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // See above.
  }
}

/**
 * Makes a folder and those that it lies in, where they are not there yet. What it gives takes those away again in
 * which nothing lies.
 */
export function makeFolder(path: string): () => void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.push(folder);
  try {
    // One by one: with `recursive`, mkdir never ends where a file system refuses with ENOENT, as /proc does.
    for (const folder of missing.toReversed()) mkdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RistrettoError(`the folder cannot be made (${code})`, { file: path, cause: error });
  }
  return () => {
    try {
      for (const folder of missing) rmdirSync(folder);
    } catch {
      // Something lies in it.
    }
  };
}

/** Throws where `writeFileAtomic(path)` could not work; to be asked before long work whose result goes there. */
export function assertWritable(path: string): void {
  const target = resolve(path);
  const fail = (reason: string, cause?: unknown): never => {
    throw new RistrettoError(`cannot be written: ${reason}`, { file: path, cause });
  };
  const descriptor = descriptorOf(path);
  if (descriptor !== null) {
    try {
      fstatSync(descriptor);
    } catch (error) {
      fail(`this process has no open file ${descriptor}`, error);
    }
    return;
  }
  const folder = dirname(target);
  const folderStat = statSync(folder, { throwIfNoEntry: false });
  if (!folderStat) fail(`folder ${folder} does not exist`);
  if (!folderStat!.isDirectory()) fail(`${folder} is not a folder`);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) fail('it is a folder');
  if (isSpecialFile(target)) {
    try {
      accessSync(target, constants.W_OK);
    } catch (error) {
      fail('no permission to write to it', error);
    }
    return;
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    fail(`no permission to write into ${folder}`, error);
  }
}

import { checkArgument, listOf, oneOf, path as pathKind, required } from '../util/check-options.js';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../errors/index.js';
import { entryKind, isHdf5File, withHdf5File } from '../util/index.js';
import { ByteSource } from './byte-source.js';
import { descriptorOf } from './message.js';
import { WireType } from './wire-type.js';

/** What a file is, told by its content: a row each, with how it is called in a message. */
export const fileKinds = {
  net: "a net's definition (prototxt)",
  solver: "a solver's definition (prototxt)",
  weights: "a net's trained weights (caffemodel)",
  solverState: "a solver's state (solverstate)",
  blob: 'a single blob, such as a mean image (binaryproto)',
  lmdb: 'an LMDB',
  lmdbFile: "an LMDB's data file",
  levelDb: 'a LevelDB',
  folder: 'a folder',
  hdf5: 'an HDF5 file of data',
  image: 'an image',
  archive: 'a compressed archive',
  checkpoint: 'the side file of a snapshot',
  json: 'a JSON file',
  list: 'a list of image files',
  // Not known by its content: it says nothing about itself.
  deepCompression: 'a net of the Deep Compression release',
} as const;

export type FileKind = keyof typeof fileKinds;

/** Bytes at the start of files, at an offset. */
const signatures: readonly [FileKind, offset: number, bytes: string][] = [
  ['image', 0, '\xff\xd8\xff'],
  ['image', 0, '\x89PNG\r\n\x1a\n'],
  ['image', 0, 'GIF8'],
  ['image', 8, 'WEBP'],
  ['image', 0, 'II*\0'],
  ['image', 0, 'MM\0*'],
  ['archive', 0, 'PK\x03\x04'],
  ['archive', 0, '\x1f\x8b\x08'],
  ['archive', 0, 'BZh'],
  ['archive', 0, '\xfd7zXZ\0'],
  ['archive', 0, '7z\xbc\xaf'],
  ['archive', 257, 'ustar'],
  ['lmdbFile', 16, '\xde\xc0\xef\xbe'],
  ['lmdbFile', 12, '\xde\xc0\xef\xbe'],
  ['lmdbFile', 24, '\xde\xc0\xef\xbe'],
  ['lmdbFile', 16, '\xbe\xef\xc0\xde'],
  ['lmdbFile', 12, '\xbe\xef\xc0\xde'],
];

/** Bytes that are looked at for signatures, and to tell texts from binary files. */
const HEAD_BYTES = 4096;

/** Larger texts are no prototxts that anybody wrote; they are not read. */
const MOST_TEXT_BYTES = 64 * 2 ** 20;

/** Fields of a binary file that are looked at: more than enough to know it by. */
const MOST_FIELDS = 64;

function headOf(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function isText(head: Buffer): boolean {
  return head.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d)) && !head.includes(0x7f);
}

/** The names of the fields that stand outside all braces of a text message. */
export function outerFields(text: string): Set<string> {
  const names = new Set<string>();
  let depth = 0;
  // Strings and comments may hold anything; a name is one where a value or a message follows.
  const tokens = /#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}<>]|[A-Za-z_]\w*(?=\s*[:{<])/g;
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '<') depth++;
    else if (token === '}' || token === '>') depth--;
    else if (depth === 0 && /^[A-Za-z_]/.test(token)) names.add(token);
  }
  return names;
}

function textKind(text: string): FileKind | null {
  if (/^\s*[[{]/.test(text)) {
    try {
      const value = JSON.parse(text) as { format?: unknown } | null;
      return typeof value?.format === 'string' && /checkpoint/.test(value.format) ? 'checkpoint' : 'json';
    } catch {
      return null;
    }
  }
  const found = [...outerFields(text)];
  const known = (type: 'NetParameter' | 'SolverParameter') =>
    found.filter((name) => descriptorOf(type).byName.has(name));
  const [ofNet, ofSolver] = [known('NetParameter'), known('SolverParameter')];
  // Both have fields of their own and none of the other's, but for debug_info.
  if (found.length > 0 && found.length === ofNet.length && ofNet.length > ofSolver.length) return 'net';
  if (found.length > 0 && found.length === ofSolver.length && ofSolver.length > ofNet.length) return 'solver';
  if (found.some((name) => ['layer', 'layers'].includes(name))) return 'net';
  if (found.some((name) => ['lr_policy', 'base_lr', 'max_iter'].includes(name))) return 'solver';
  const lines = text.split('\n', 20).filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => /^\S.*\.\w+\s+-?\d+\s*$/.test(line)) ? 'list' : null;
}

/** The fields at the top of a binary message: number and wire type, `number:type`. Throws where it is none. */
function wireFields(path: string): Set<string> {
  return ByteSource.withFile(path, (source) => {
    const fields = new Set<string>();
    for (let i = 0; i < MOST_FIELDS && source.offset < source.limit; i++) {
      const tag = source.varint32();
      fields.add(`${tag >>> 3}:${tag & 7}`);
      if (tag >>> 3 === 0) source.fail('no field has the number 0');
      switch (tag & 7) {
        case WireType.VARINT:
          source.varint32();
          break;
        case WireType.FIXED64:
          source.skip(8);
          break;
        case WireType.BYTES:
          source.skip(source.length());
          break;
        case WireType.FIXED32:
          source.skip(4);
          break;
        default:
          source.fail('no wire type');
      }
    }
    return fields;
  });
}

/** Which of Caffe's messages a binary file's fields are those of. */
function wireKind(fields: ReadonlySet<string>): FileKind | null {
  const any = (...names: string[]) => names.some((name) => fields.has(name));
  const only = (...names: string[]) => [...fields].every((name) => names.includes(name));
  if (fields.size === 0) return null;
  // name, layers (V0 and V1), input and its dimensions, flags, state, layer.
  const ofNet = ['1:2', '2:2', '3:2', '4:0', '4:2', '5:0', '6:2', '7:0', '8:2', '100:2'];
  if (any('1:2', '100:2') && only(...ofNet)) return 'weights';
  // iter, learned_net, history, current_step.
  if (any('1:0') && any('2:2', '3:2') && only('1:0', '2:2', '3:2', '4:0')) return 'solverState';
  // num, channels, height, width, data and diff (packed or not), shape, the same in double.
  const ofBlob = ['1:0', '2:0', '3:0', '4:0', '5:2', '5:5', '6:2', '6:5', '7:2', '8:2', '8:1', '9:2', '9:1'];
  if (any('5:2', '5:5', '8:2', '8:1') && only(...ofBlob)) return 'blob';
  return null;
}

async function hdf5Kind(path: string): Promise<FileKind> {
  return withHdf5File(path, 'r', (file) => {
    const keys = file.keys();
    if (['iter', 'history'].every((key) => keys.includes(key))) return 'solverState';
    return keys.includes('data') && entryKind(file.get('data')) === 'group' ? 'weights' : 'hdf5';
  });
}

function ordinaryKind(path: string): FileKind | null {
  const head = headOf(path);
  const start = head.toString('latin1', 0, 16);
  // Netpbm and BMP, whose two letters alone might be anything's.
  if (/^P[1-7][\s#]/.test(start) || /^BM.{4}\0{4}/s.test(start)) return 'image';
  const signature = signatures.find(([, offset, bytes]) =>
    head.subarray(offset, offset + bytes.length).equals(Buffer.from(bytes, 'latin1')),
  );
  if (signature) return signature[0];
  if (head.length > 0 && isText(head))
    return statSync(path).size <= MOST_TEXT_BYTES ? textKind(readFileSync(path, 'utf8')) : null;
  return wireKind(wireFields(path));
}

function folderKind(path: string): FileKind {
  // What may not be looked into seems empty: no kind is told of it.
  accessSync(path, constants.R_OK | constants.X_OK);
  if (existsSync(join(path, 'data.mdb'))) return 'lmdb';
  return existsSync(join(path, 'CURRENT')) ? 'levelDb' : 'folder';
}

/** What lies at a path as far as its content says; null where it says nothing, or nothing can be read there. */
export function fileKindOf(path: string): FileKind | 'hdf5 of any kind' | null {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return folderKind(path);
    // A pipe can be read once only.
    if (!stat.isFile()) return null;
    return isHdf5File(path) ? 'hdf5 of any kind' : ordinaryKind(path);
  } catch {
    return null;
  }
}

/** The same, with HDF5 files looked into. */
export async function fullFileKindOf(path: string): Promise<FileKind | null> {
  checkArgument('fullFileKindOf', 'path', path, required(pathKind));
  const kind = fileKindOf(path);
  if (kind !== 'hdf5 of any kind') return kind;
  try {
    return await hdf5Kind(path);
  } catch {
    return null;
  }
}

/** 'X is …; … is wanted' where a file certainly is of none of the wanted kinds; null where it may be. */
export function wrongKind(kind: FileKind | null, wanted: readonly FileKind[]): string | null {
  checkArgument('wrongKind', 'wanted', wanted, required(listOf(oneOf(...Object.keys(fileKinds)))));
  if (kind === null || wanted.includes(kind)) return null;
  return `is ${fileKinds[kind]}, not ${fileKinds[wanted[0]]}`;
}

/** Throws where the content of a file says that it is of another kind than a reader expects. */
export function expectKind(path: string, wanted: FileKind): void {
  const kind = fileKindOf(path);
  if (kind === null || kind === 'hdf5 of any kind') return;
  const why = wrongKind(kind, [wanted]);
  if (why) throw new FormatError(why, { file: path });
}

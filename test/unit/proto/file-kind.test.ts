// What a file is, by its content.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  create,
  encode,
  fullFileKindOf,
  readBlobProto,
  readNetBinary,
  readNetText,
  readSolver,
  readSolverSnapshot,
  readSolverState,
  readWeights,
  writeNetHdf5,
  writeSolverStateHdf5,
  type FileKind,
} from '../../../lib/proto/index.js';

let folder: string;
const at = (name: string) => join(folder, name);

const blob = () => create('BlobProto', { shape: { dim: [2] }, data: Float32Array.of(1, 2) });
const net = () =>
  create('NetParameter', { name: 'n', layer: [create('LayerParameter', { name: 'a', blobs: [blob()] })] });
const state = () =>
  create('SolverState', { iter: 4, learned_net: 'n.caffemodel', current_step: 1, history: [blob()] });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-kinds-'));
  const files: Record<string, string | Uint8Array> = {
    net: '# solver { }\nname: "x"\nlayer { name: "base_lr: 1" type: "Input" }\n',
    'net of old': 'name: "x"\ninput: "data"\ninput_dim: 1 input_dim: 3 layers { type: RELU }',
    'net with a slip': 'name: "x" lyer { } layer { name: "a" }',
    solver: 'net: "a.prototxt" # layer { }\nbase_lr: 0.1 lr_policy: "fixed" max_iter: 4',
    'solver with its net': 'net_param { layer { name: "a" } } base_lr: 0.1 snapshot_prefix: \'layer { \'',
    'solver with a slip': 'base_lr: 0.1 lr_polcy: "fixed"',
    weights: encode(net()),
    'weights without a name': encode(create('NetParameter', { layer: net().layer })),
    state: encode(state()),
    'state without history': encode(create('SolverState', { iter: 1, learned_net: 'a' })),
    mean: encode(
      create('BlobProto', { num: 1, channels: 1, height: 1, width: 2, data: Float32Array.of(1, 2) }),
    ),
    blob: encode(blob()),
    png: await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .png()
      .toBuffer(),
    jpg: await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer(),
    webp: await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .webp()
      .toBuffer(),
    pgm: 'P2\n3 1\n100\n25 50 100\n',
    ppm: Buffer.concat([Buffer.from('P6\n1 1\n255\n'), Buffer.of(1, 2, 3)]),
    bmp: Buffer.concat([Buffer.from('BM'), Buffer.of(58, 0, 0, 0), Buffer.alloc(52)]),
    'BM text': 'BM is a text of some length',
    gz: Uint8Array.of(0x1f, 0x8b, 8, 0, 0),
    json: '[{"layer": "a"}]',
    side: '{"format": "ristretto solver checkpoint", "version": 1}',
    list: 'a/b c.jpg 1\nd.png 2\n',
    'data.mdb': Buffer.concat([Buffer.alloc(16), Buffer.from('dec0efbe', 'hex'), Buffer.alloc(100)]),
    empty: '',
    'some text': 'n01440764 tench, Tinca tinca\n',
    'some bytes': Uint8Array.from({ length: 300 }, (_, i) => (i * 7919) % 256),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content);
  await writeNetHdf5(at('weights.h5'), net());
  await writeSolverStateHdf5(at('state.h5'), state());
  for (const name of ['lmdb', 'leveldb', 'folder']) mkdirSync(at(name));
  writeFileSync(at('lmdb/data.mdb'), '');
  writeFileSync(at('leveldb/CURRENT'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file is known by its content', () => {
  it.each<[string, FileKind | null]>([
    ['net', 'net'],
    ['net of old', 'net'],
    ['net with a slip', 'net'],
    ['solver', 'solver'],
    ['solver with its net', 'solver'],
    ['solver with a slip', 'solver'],
    ['weights', 'weights'],
    ['weights without a name', 'weights'],
    ['weights.h5', 'weights'],
    ['state', 'solverState'],
    ['state without history', 'solverState'],
    ['state.h5', 'solverState'],
    ['mean', 'blob'],
    ['blob', 'blob'],
    ['png', 'image'],
    ['jpg', 'image'],
    ['webp', 'image'],
    ['pgm', 'image'],
    ['ppm', 'image'],
    ['bmp', 'image'],
    ['BM text', null],
    ['gz', 'archive'],
    ['json', 'json'],
    ['side', 'checkpoint'],
    ['list', 'list'],
    ['data.mdb', 'lmdbFile'],
    ['lmdb', 'lmdb'],
    ['leveldb', 'levelDb'],
    ['folder', 'folder'],
    // Nothing is said of what may be anything.
    ['empty', null],
    ['some text', null],
    ['some bytes', null],
    ['gone', null],
  ])('%s', async (name, kind) => {
    expect(await fullFileKindOf(at(name))).toBe(kind);
  });
});

describe('a reader that is given another kind', () => {
  it.each<[string, (path: string) => unknown, string, RegExp]>([
    ['readNetText', readNetText, 'solver', /is a solver's definition \(prototxt\), not a net's definition/],
    [
      'readNetText',
      readNetText,
      'weights',
      /is a net's trained weights \(caffemodel\), not a net's definition/,
    ],
    ['readNetText', readNetText, 'png', /is an image, not a net's definition/],
    [
      'readNetBinary',
      readNetBinary,
      'state',
      /is a solver's state \(solverstate\), not a net's trained weights/,
    ],
    [
      'readNetBinary',
      readNetBinary,
      'net',
      /is a net's definition \(prototxt\), not a net's trained weights/,
    ],
    ['readNetBinary', readNetBinary, 'lmdb', /is an LMDB, not/],
    ['readSolver', readSolver, 'net', /is a net's definition \(prototxt\), not a solver's definition/],
    [
      'readSolverState',
      readSolverState,
      'weights',
      /is a net's trained weights \(caffemodel\), not a solver's state/,
    ],
    ['readSolverState', readSolverState, 'side', /is the side file of a snapshot, not a solver's state/],
    ['readBlobProto', readBlobProto, 'jpg', /is an image, not a single blob/],
    [
      'readBlobProto',
      readBlobProto,
      'weights',
      /is a net's trained weights \(caffemodel\), not a single blob/,
    ],
  ])('%s says what it is: %s', (_, read, name, message) => {
    expect(() => read(at(name))).toThrow(message);
  });

  it('of HDF5 as well', async () => {
    await expect(readSolverSnapshot(at('weights.h5'))).rejects.toThrow(/not a solver's state/);
    await expect(readWeights(at('state.h5'))).rejects.toThrow(/not a caffemodel/);
  });
});

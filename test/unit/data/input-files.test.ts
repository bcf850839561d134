// What a net's definition makes a run read.
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inputFilesOf } from '../../../lib/data/index.js';
import { parseText, upgradeNet } from '../../../lib/proto/index.js';
import { quantize } from '../../../lib/quantize/index.js';
import { refuseMeetings } from '../../../lib/util/index.js';

let folder: string;
const at = (name: string) => join(folder, name);
const q = (name: string) => JSON.stringify(at(name));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-inputs-'));
  for (const name of ['lmdb', 'leveldb', 'images', 'classes/cat']) mkdirSync(at(name), { recursive: true });
  const files = [
    'lmdb/data.mdb',
    'leveldb/CURRENT',
    'leveldb/000005.ldb',
    'images/a b.jpg',
    'classes/cat/1.png',
  ];
  for (const name of [...files, 'mean', 'infogain', 'rows.h5', 'old_mean']) writeFileSync(at(name), name);
  writeFileSync(at('list'), 'a b.jpg 1\n');
  writeFileSync(at('h5list'), `${at('rows.h5')}\n`);
  linkSync(at('leveldb/000005.ldb'), at('hard'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const net = () =>
  upgradeNet(
    parseText(
      'NetParameter',
      `layer { name: "a" type: "Data" data_param { source: ${q('lmdb')} } transform_param { mean_file: ${q('mean')} } }
       layer { name: "b" type: "Data" data_param { source: ${q('leveldb')} } }
       layer { name: "c" type: "ImageData" image_data_param { source: ${q('list')} root_folder: ${JSON.stringify(at('images/'))} } }
       layer { name: "d" type: "ImageFolder" image_data_param { source: "classes" root_folder: ${JSON.stringify(`${folder}/`)} } }
       layer { name: "e" type: "HDF5Data" hdf5_data_param { source: ${q('h5list')} } }
       layer { name: "f" type: "InfogainLoss" infogain_loss_param { source: ${q('infogain')} } }
       layer { name: "g" type: "Data" data_param { source: ${q('gone')} } }`,
    ),
  );

describe('the files that a net names', () => {
  it.each([
    ['lmdb/data.mdb', "lies in data_param.source of layer 'a'"],
    ['lmdb/new', "lies in data_param.source of layer 'a'"],
    ['mean', "is the same file as transform_param.mean_file of layer 'a'"],
    ['leveldb/LOG', "lies in data_param.source of layer 'b'"],
    ['hard', "a file of data_param.source of layer 'b'"],
    ['list', "is the same file as image_data_param.source of layer 'c'"],
    ['images/a b.jpg', "a file of image_data_param.source of layer 'c'"],
    ['classes/cat/1.png', "lies in image_data_param.source of layer 'd'"],
    ['h5list', "is the same file as hdf5_data_param.source of layer 'e'"],
    ['rows.h5', "a file of hdf5_data_param.source of layer 'e'"],
    ['infogain', "is the same file as infogain_loss_param.source of layer 'f'"],
    ['gone', "is the same file as data_param.source of layer 'g'"],
  ])('are inputs: %s', (name, message) => {
    const refuse = () =>
      refuseMeetings([{ path: at(name), what: '--json' }], inputFilesOf(net(), 'net.prototxt'));
    expect(refuse).toThrow(message);
    expect(refuse).toThrow('in net.prototxt');
  });

  it('and nothing else is', () => {
    for (const name of ['images/new.jpg', 'classes/result.json', 'new', 'lmdb2'])
      refuseMeetings([{ path: at(name), what: '--json' }], inputFilesOf(net(), 'net.prototxt'));
  });

  it('of layers of old, too', () => {
    const old = parseText(
      'NetParameter',
      `layers { name: "a" type: DATA top: "data" data_param { source: ${q('gone')} mean_file: ${q('old_mean')} } }`,
    );
    const inputs = inputFilesOf(upgradeNet(old), 'net');
    expect(inputs.map(({ path }) => path)).toEqual([at('gone'), at('old_mean')]);
  });
});

it('quantize refuses them without a command line', async () => {
  const options = { weights: at('none'), trimmingMode: 'minifloat', iterations: 1 } as const;
  for (const [output, why] of [
    ['mean', /modelQuantized is the same file as transform_param.mean_file/],
    ['lmdb/q', /modelQuantized lies in data_param.source/],
    ['none', /modelQuantized is the same file as weights/],
  ] as const)
    await expect(quantize({ ...options, model: net(), modelQuantized: at(output) })).rejects.toThrow(why);
});

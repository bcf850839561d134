// Layers that count or draw go on from a checkpoint as if they had never stopped: a net that runs 2n passes against
// one that runs n, writes its checkpoints down and is closed, and a new one that takes them up and runs n more.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MemoryData } from '../../../lib/data/memory-data.js';
import { registry } from '../../../lib/data/index.js';
import { Net, type NetOptions } from '../../../lib/graph/index.js';
import { create, parseText, Phase } from '../../../lib/proto/index.js';
import { withHdf5File } from '../../../lib/util/index.js';
import { png, rawDatum, temporaryFolder, writeLmdb, writeNumbered } from './sources.js';

const folder = temporaryFolder();
const inside = (name: string) => join(folder, name);
const RECORDS = 11;

beforeAll(async () => {
  await writeNumbered(inside('lmdb'), RECORDS);
  const broken = Array.from({ length: RECORDS }, (_, i) => {
    const value = i % 4 === 1 ? Uint8Array.of(255) : rawDatum(i);
    return [String(i).padStart(8, '0'), value] as const;
  });
  await writeLmdb(inside('broken'), broken);
  const database = new ClassicLevel<string, Uint8Array>(inside('leveldb'), { valueEncoding: 'view' });
  await database.batch(
    Array.from({ length: RECORDS }, (_, i) => ({
      type: 'put',
      key: String(i).padStart(8, '0'),
      value: rawDatum(i),
    })),
  );
  await database.close();
  for (let i = 0; i < 5; i++) writeFileSync(inside(`${i}.png`), await png(5, 6, 3, i));
  writeFileSync(inside('images.txt'), Array.from({ length: 5 }, (_, i) => `${i}.png ${i}\n`).join(''));
  for (const [name, rows, first] of [
    ['a.h5', 5, 0],
    ['b.h5', 4, 5],
  ] as const)
    await withHdf5File(inside(name), 'w', (file) => {
      const data = Float32Array.from({ length: rows }, (_, i) => first + i);
      file.create_dataset({ name: 'data', data, shape: [rows, 1], dtype: '<f4' });
    });
  writeFileSync(inside('hdf5.txt'), 'a.h5\nb.h5\n');
});

type Prepare = (net: Net) => void | Promise<void>;

function open(text: string, options: Partial<NetOptions>): Promise<Net> {
  return Net.create({
    param: parseText('NetParameter', text),
    registry,
    phase: Phase.TRAIN,
    keep: 'all',
    threads: 1,
    seed: 5,
    baseFolder: folder,
    ...options,
  });
}

/** All tops of some passes. */
async function run(net: Net, passes: number): Promise<number[][]> {
  const results: number[][] = [];
  for (let pass = 0; pass < passes; pass++) {
    await net.forward();
    for (const { top } of net.layers) for (const blob of top) results.push([...blob.toArray()]);
  }
  return results;
}

/** What the layers keep, through JSON, by name. */
function save(net: Net): Record<string, Record<string, unknown> | null> {
  const all = Object.fromEntries(net.layers.map(({ layer }) => [layer.name, layer.checkpoint()]));
  return JSON.parse(JSON.stringify(all)) as Record<string, Record<string, unknown> | null>;
}

async function resume(net: Net, saved: ReturnType<typeof save>): Promise<void> {
  for (const { layer } of net.layers) {
    const own = saved[layer.name];
    if (own) await layer.restore(own);
  }
}

async function expectSameAfterRestore(
  text: string,
  options: Partial<NetOptions> = {},
  prepare: Prepare = () => undefined,
): Promise<void> {
  for (const n of [1, 3]) {
    const whole = await open(text, options);
    const first = await open(text, options);
    const second = await open(text, options);
    try {
      for (const net of [whole, first, second]) await prepare(net);
      const expected = await run(whole, 2 * n);
      const head = await run(first, n);
      const saved = save(first);
      await first.close();
      await resume(second, saved);
      expect(save(second)).toEqual(saved);
      const tail = await run(second, n);
      expect([...head, ...tail]).toEqual(expected);
      // It matters: without the checkpoint the passes would repeat.
      expect(tail).not.toEqual(head);
      expect(save(second)).toEqual(save(whole));
    } finally {
      for (const net of [whole, first, second]) await net.close();
    }
  }
}

const data = (source: string, transform = '', more = '') =>
  `layer { name: "in" type: "Data" top: "data" top: "label" transform_param { ${transform} }
    data_param { source: "${source}" batch_size: 3 ${more} } }`;
const images = (more = '') =>
  `layer { name: "in" type: "ImageData" top: "data" top: "label" transform_param { crop_size: 3 mirror: true }
    image_data_param { source: "images.txt" root_folder: "${folder}/" batch_size: 2 ${more} } }`;

describe('a data layer goes on where its checkpoint stands', () => {
  it.each([
    ['LMDB', data('lmdb')],
    [
      'LMDB, crops and mirrors, a skip at the start',
      data('lmdb', 'crop_size: 2 mirror: true', 'rand_skip: 7'),
    ],
    ['LMDB, nothing read ahead but one batch', data('lmdb', '', 'prefetch: 1')],
    ['LevelDB', data('leveldb', 'crop_size: 2', 'prefetch: 9')],
    ['ImageData', images()],
    ['ImageData, shuffled', images('shuffle: true')],
    [
      'HDF5Data',
      'layer { name: "in" type: "HDF5Data" top: "data" hdf5_data_param { source: "hdf5.txt" batch_size: 4 } }',
    ],
    [
      'HDF5Data, shuffled',
      'layer { name: "in" type: "HDF5Data" top: "data" hdf5_data_param { source: "hdf5.txt" batch_size: 2 shuffle: true } }',
    ],
    [
      'DummyData',
      `layer { name: "in" type: "DummyData" top: "a" top: "b" dummy_data_param { shape { dim: 3 }
        data_filler { type: "gaussian" } data_filler { type: "constant" value: 2 } } }`,
    ],
  ])('%s', async (_, text) => {
    await expectSameAfterRestore(text);
  });

  it('counts the records that were skipped', async () => {
    const text = data('broken');
    await expectSameAfterRestore(text, { skipBad: true });
    const net = await open(text, { skipBad: true });
    await run(net, 2);
    expect(save(net).in).toEqual({ position: 8, skipped: 2, skippedKeys: ['00000001', '00000005'] });
    await net.close();
  });

  const memory = `layer { name: "in" type: "MemoryData" top: "data" top: "label" transform_param { crop_size: 2 }
    memory_data_param { batch_size: 2 channels: 1 height: 2 width: 2 } }`;
  const added =
    (count: number): Prepare =>
    (net) =>
      (net.layer('in').layer as MemoryData).addDatums(
        Array.from({ length: count }, (_, i) =>
          create('Datum', {
            channels: 1,
            height: 4,
            width: 4,
            data: new Uint8Array(16).map((_, at) => 16 * i + at),
            label: i,
          }),
        ),
      );

  it('MemoryData, in the images that the program has added', async () => {
    await expectSameAfterRestore(memory, {}, added(8));
  });

  it('MemoryData, in the images that the program adds later', async () => {
    const whole = await open(memory, {});
    await added(8)(whole);
    await run(whole, 1);
    const saved = save(whole);
    const resumed = await open(memory, {});
    await resume(resumed, saved);
    expect(save(resumed)).toEqual(saved);
    await expect(async () => added(2)(resumed)).rejects.toThrow(/stands at image 2/);
    await added(8)(resumed);
    expect((resumed.layer('in').layer as MemoryData).pending).toBe(6);
    expect(await run(resumed, 5)).toEqual(await run(whole, 5));
    await whole.close();
    await resumed.close();
  });

  it('has nothing to keep where every pass is alike', async () => {
    const net = await open(
      'layer { name: "in" type: "DummyData" top: "a" dummy_data_param { shape { dim: 3 } } }',
      {},
    );
    expect(save(net)).toEqual({ in: null });
    await net.close();
  });
});

describe('a layer that draws goes on with the same words', () => {
  const input = `layer { name: "in" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 2 dim: 6 dim: 6 }
    data_filler { type: "constant" value: 1.5 } } }`;
  it.each([
    ['Dropout', 'layer { name: "drop" type: "Dropout" bottom: "x" top: "y" }'],
    [
      'two of them',
      'layer { name: "a" type: "Dropout" bottom: "x" top: "y" } layer { name: "b" type: "Dropout" bottom: "y" top: "z" }',
    ],
    [
      'stochastic pooling',
      `layer { name: "noise" type: "DummyData" top: "n" dummy_data_param { shape { dim: 2 dim: 2 dim: 6 dim: 6 }
        data_filler { type: "uniform" min: 1 max: 9 } } }
       layer { name: "pool" type: "Pooling" bottom: "n" top: "y" pooling_param { pool: STOCHASTIC kernel_size: 3 } }`,
    ],
    [
      'stochastic pyramids',
      `layer { name: "noise" type: "DummyData" top: "n" dummy_data_param { shape { dim: 2 dim: 2 dim: 8 dim: 8 }
        data_filler { type: "uniform" min: 1 max: 9 } } }
       layer { name: "spp" type: "SPP" bottom: "n" top: "y" spp_param { pool: STOCHASTIC pyramid_height: 3 } }`,
    ],
  ])('%s', async (_, text) => {
    await expectSameAfterRestore(`${input} ${text}`);
  });
});

it('refuses a checkpoint that is not its own, naming the layer', async () => {
  const net = await open(
    `${data('lmdb')} layer { name: "drop" type: "Dropout" bottom: "data" top: "y" }
     layer { name: "off" type: "Dropout" bottom: "y" top: "z" dropout_param { dropout_ratio: 0 } }
     layer { name: "relu" type: "ReLU" bottom: "z" top: "r" }`,
    {},
  );
  const restore = async (name: string, saved: Record<string, unknown>) =>
    net.layer(name).layer.restore(saved);
  for (const wrong of [
    {},
    { position: -1, skipped: 0, skippedKeys: [] },
    { position: 1.5, skipped: 0, skippedKeys: [] },
  ])
    await expect(restore('in', wrong)).rejects.toThrow(/'in'.*checkpoint/);
  await expect(restore('in', { position: 1, skipped: 0, skippedKeys: 'x' })).rejects.toThrow(/skipped keys/);
  await expect(restore('drop', { draws: 3 })).rejects.toThrow(/'drop'.*checkpoint/);
  await expect(restore('off', { forwards: 3 })).rejects.toThrow(/'off'.*keeps nothing/);
  await expect(restore('relu', {})).rejects.toThrow(/keeps nothing/);
  await net.close();
});

import { afterEach, describe, expect, it } from 'vitest';
import type { MemoryData } from '../../../lib/data/index.js';
import type { Net } from '../../../lib/graph/index.js';
import { create } from '../../../lib/proto/index.js';
import { dataNet } from './one-layer-net.js';

let net: Net | undefined;
afterEach(async () => {
  await net?.close();
  net = undefined;
});

const memory = (param: string, tops = 'top: "data" top: "label"') =>
  `layer { name: "m" type: "MemoryData" ${tops} memory_data_param { ${param} } }`;
const small = memory('batch_size: 2 channels: 1 height: 1 width: 3');

async function open(): Promise<MemoryData> {
  net = await dataNet(small);
  return net.layer('m').layer as MemoryData;
}
const values = () => [...net!.blob('data').data];
const labels = () => [...net!.blob('label').data];

describe('MemoryData', () => {
  it('serves batch by batch and goes round', async () => {
    const layer = await open();
    expect(net!.shapes.get('data')).toEqual([2, 1, 1, 3]);
    expect(net!.shapes.get('label')).toEqual([2]);
    layer.add(
      Float32Array.from({ length: 12 }, (_, i) => i),
      [5, 6, 7, 8],
    );
    expect(layer.pending).toBe(4);
    await net!.forward();
    expect([values(), labels()]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [5, 6],
    ]);
    await net!.forward();
    expect([values(), labels(), layer.pending]).toEqual([[6, 7, 8, 9, 10, 11], [7, 8], 0]);
    await net!.forward();
    expect(labels()).toEqual([5, 6]);
    // In the middle of a second round nothing is lost by adding.
    layer.add([1, 1, 1, 2, 2, 2], [0, 1]);
    await net!.forward();
    expect([values(), labels()]).toEqual([
      [1, 1, 1, 2, 2, 2],
      [0, 1],
    ]);
  });

  it('keeps a copy', async () => {
    const layer = await open();
    const data = new Float32Array(6).fill(1);
    layer.add(data, [0, 0]);
    data.fill(9);
    await net!.forward();
    expect(values()).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('changes its batch size between images', async () => {
    const layer = await open();
    layer.batchSize = 1;
    layer.add([1, 2, 3], [4]);
    expect(() => (layer.batchSize = 2)).toThrow(/layer 'm'.*1 images wait/);
    await net!.forward();
    expect(net!.shapes.get('data')).toEqual([1, 1, 1, 3]);
    expect(values()).toEqual([1, 2, 3]);
    expect(() => (layer.batchSize = 0)).toThrow(/a batch of 0 images/);
  });

  it('refuses what does not fit', async () => {
    const layer = await open();
    await expect(net!.forward()).rejects.toThrow(
      /layer 'm': has no images: .* by add\(\) before the pass; on the command line write a Data /,
    );
    expect(() => layer.add([1, 2, 3], [1])).toThrow(
      /1 labels are not a positive multiple of the batch size 2/,
    );
    expect(() => layer.add([], [])).toThrow(/0 labels/);
    expect(() => layer.add([1, 2, 3], [1, 2])).toThrow(/2 images of 1 x 1 x 3 need 6 values, not 3/);
    layer.add(new Float32Array(6), [1, 2]);
    expect(() => layer.add(new Float32Array(6), [1, 2])).toThrow(/2 images added earlier/);
  });

  it('needs every dimension and two tops', async () => {
    await expect(dataNet(memory('batch_size: 2 channels: 1 height: 1'))).rejects.toThrow(
      /layer 'm': memory_data_param\.width: must be given and positive/,
    );
    await expect(
      dataNet(memory('batch_size: 2 channels: 1 height: 1 width: 1', 'top: "data"')),
    ).rejects.toThrow(/layer 'm'.*top/);
  });
});

describe('Datums in memory', () => {
  const datum = (label: number, height = 3) =>
    create('Datum', {
      channels: 1,
      height,
      width: 4,
      data: Uint8Array.from({ length: 4 * height }, (_, i) => 10 * label + i),
      label,
    });
  const text = `layer { name: "m" type: "MemoryData" top: "data" top: "label"
    transform_param { crop_size: 2 scale: 2 mean_value: 1 }
    memory_data_param { batch_size: 2 channels: 1 height: 2 width: 2 } }`;

  it('are transformed', async () => {
    net = await dataNet(text);
    const layer = net.layer('m').layer as MemoryData;
    await layer.addDatums([datum(1), datum(2), datum(3), datum(4)]);
    await net.forward();
    expect(values()).toEqual([11, 12, 15, 16, 21, 22, 25, 26].map((v) => 2 * (v - 1)));
    expect(labels()).toEqual([1, 2]);
    await expect(layer.addDatums([datum(1), datum(2)])).rejects.toThrow(/2 images added earlier/);
    await net.forward();
    expect(labels()).toEqual([3, 4]);
    await layer.addDatums([datum(5), datum(6)]);
    await net.forward();
    expect(labels()).toEqual([5, 6]);
  });

  it('that do not fit are refused', async () => {
    net = await dataNet(text);
    const layer = net.layer('m').layer as MemoryData;
    await expect(layer.addDatums([datum(1)])).rejects.toThrow(/1 Datums are not a positive multiple/);
    await expect(layer.addDatums([datum(1), datum(2, 1)])).rejects.toThrow(/crop_size: 2 exceeds record '1'/);
  });
});

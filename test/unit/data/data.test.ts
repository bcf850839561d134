import { mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError, NetError } from '../../../lib/errors/index.js';
import { create, encode, Phase, writeBlobProto } from '../../../lib/proto/index.js';
import { onWarning } from '../../../lib/util/warnings.js';
import {
  encodedDatum,
  errorOf,
  openLayer,
  pixels,
  png,
  rawDatum,
  temporaryFolder,
  writeLmdb,
  writeNumbered,
} from './sources.js';

const folder = temporaryFolder();
const numbered = join(folder, 'numbered');
beforeAll(() => writeNumbered(numbered, 40));

function data(source: string, { batch = 3, transform = '', more = '', tops = 2 } = {}): string {
  return `layer { name: "input" type: "Data" top: "data" ${tops > 1 ? 'top: "label"' : ''}
    transform_param { ${transform} }
    data_param { source: "${source}" batch_size: ${batch} backend: LMDB ${more} } }`;
}

describe('data given in place of the own source', () => {
  const told: string[] = [];
  beforeAll(() => onWarning((message) => told.push(message)));

  it.each([
    ['Data', (source: string) => data(source)],
    [
      'ImageData',
      (source: string) =>
        `layer { name: "input" type: "ImageData" top: "data" top: "label" image_data_param { source: "${source}" batch_size: 1 } }`,
    ],
  ])('is told of where a %s layer of the TRAIN phase has one, once', async (type, text) => {
    const source = join(folder, `${type}-of-its-own`);
    const open = (phase: Phase) => openLayer(text(source), { phase, dataSource: numbered });
    told.length = 0;
    await (await open(Phase.TEST)).close();
    expect(told).toEqual([]);
    for (let i = 0; i < 2; i++) await (await open(Phase.TRAIN)).close();
    expect(told).toEqual([
      `layer 'input' of the TRAIN phase reads ${numbered} instead of its own source, ${source}`,
    ]);
  });

  it('is not told of where it is the own source, or there was none', async () => {
    told.length = 0;
    for (const source of [numbered, ''])
      await (await openLayer(data(source), { phase: Phase.TRAIN, dataSource: numbered })).close();
    expect(told).toEqual([]);
  });
});

describe('Data over LMDB', () => {
  it('serves raw records in the order of keys, round and round', async () => {
    const { next, close, layer } = await openLayer(data(numbered, { batch: 25 }));
    const first = await next();
    expect(first.shape).toEqual([25, 2, 3, 4]);
    expect(first.labels).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect([...first.data.subarray(24, 28)]).toEqual([10, 11, 12, 13]);
    const second = await next();
    expect(second.labels).toEqual(Array.from({ length: 25 }, (_, i) => (25 + i) % 40));
    expect(layer.position).toBe(50);
    expect(layer.recordCount).toBe(40);
    await close();
  });

  it('needs no label', async () => {
    const { next, close } = await openLayer(data(numbered, { tops: 1 }));
    expect((await next()).labels).toEqual([]);
    await close();
  });

  it('starts over and anywhere, and gives the same again', async () => {
    const { next, close, layer } = await openLayer(data(numbered, { batch: 7 }));
    const labels = [(await next()).labels, (await next()).labels];
    layer.rewind();
    expect((await next()).labels).toEqual(labels[0]);
    layer.seek(7);
    expect((await next()).labels).toEqual(labels[1]);
    layer.seek(83);
    expect((await next()).labels[0]).toBe(3);
    expect(layer.position).toBe(90);
    await close();
  });

  it('skips at random at the start where asked, the same for a seed', async () => {
    const start = async (seed: number) => {
      const { next, close } = await openLayer(data(numbered, { more: 'rand_skip: 30' }), { seed });
      const [label] = (await next()).labels;
      await close();
      return label;
    };
    const starts = await Promise.all([1, 2, 3, 4].map(start));
    expect(await start(1)).toBe(starts[0]);
    expect(new Set(starts).size).toBeGreaterThan(1);
    expect(Math.max(...starts)).toBeLessThan(30);
  });

  it('crops the centre in TEST, subtracts, then scales', async () => {
    const transform = 'crop_size: 2 scale: 0.5 mean_value: 1 mean_value: 3';
    const { next, close } = await openLayer(data(numbered, { batch: 1, transform }));
    // Rows 0 and 1, columns 1 and 2 of 3 x 4.
    const expected = [1, 2, 5, 6].map((v) => (v - 1) / 2).concat([13, 14, 17, 18].map((v) => (v - 3) / 2));
    expect([...(await next()).data]).toEqual(expected);
    await close();
  });

  it('subtracts a mean image before the crop', async () => {
    const file = join(folder, 'mean.binaryproto');
    const mean = Float32Array.from({ length: 24 }, (_, i) => i);
    writeBlobProto(file, create('BlobProto', { num: 1, channels: 2, height: 3, width: 4, data: mean }));
    const { next, close } = await openLayer(
      data(numbered, { batch: 2, transform: `crop_size: 2 mean_file: "${file}"` }),
    );
    expect([...(await next()).data]).toEqual([...Array(8).fill(0), ...Array(8).fill(10)]);
    await close();
  });

  it('takes float_data', async () => {
    const values = [0.5, -1.25, 3e8, 4];
    const datum = create('Datum', { channels: 1, height: 2, width: 2, float_data: values, label: 9 });
    const source = await writeLmdb(join(folder, 'floats'), [['a', encode(datum)]]);
    const { next, close } = await openLayer(data(source, { batch: 2 }));
    const { data: seen, labels } = await next();
    expect([...seen]).toEqual([...values, ...values].map(Math.fround));
    expect(labels).toEqual([9, 9]);
    await close();
  });

  it('crops and mirrors by the seed and the ordinal, not by threads or where it started', async () => {
    const transform = 'crop_size: 2 mirror: true';
    const run = async (seed: number, threads: number, from = 0) => {
      const { next, close, layer } = await openLayer(
        data(numbered, { batch: 10, transform }),
        { seed, phase: Phase.TRAIN },
        threads,
      );
      layer.seek(from);
      const batches = [await next(), await next()];
      await close();
      return batches.map((batch) => [...batch.data]);
    };
    const expected = await run(5, 1);
    expect(await run(5, 3)).toEqual(expected);
    expect(await run(6, 1)).not.toEqual(expected);
    expect((await run(5, 2, 10))[0]).toEqual(expected[1]);
    // All six places and both directions occur.
    const seen = new Set(
      expected
        .flat()
        .flatMap((value, i, all) => (i % 8 === 0 ? [`${value % 10},${all[i + 1] - value}`] : [])),
    );
    expect(seen.size).toBeGreaterThan(6);
  });
});

describe('encoded Datums', () => {
  const first = async (bytes: Uint8Array, transform = '') => {
    const source = await writeLmdb(join(folder, `encoded${Math.random()}`), [['k', encodedDatum(bytes, 1)]]);
    const { next, close } = await openLayer(data(source, { batch: 1, transform }));
    const batch = await next();
    await close();
    return batch;
  };
  const planes = (height: number, width: number, channels: number, order: number[]) => {
    const values = pixels(height, width, channels);
    return order.flatMap((c) => Array.from({ length: height * width }, (_, i) => values[i * channels + c]));
  };

  it('become blue, green, red planes', async () => {
    const { data: seen, shape } = await first(await png(3, 4, 3));
    expect(shape).toEqual([1, 3, 3, 4]);
    expect([...seen]).toEqual(planes(3, 4, 3, [2, 1, 0]));
  });

  it('keep their channels: one for gray, four with alpha', async () => {
    const gray = await first(await png(3, 4, 1));
    expect(gray.shape).toEqual([1, 1, 3, 4]);
    expect([...gray.data]).toEqual([...pixels(3, 4, 1)]);
    const grayJpeg = await sharp(pixels(8, 8, 1), { raw: { height: 8, width: 8, channels: 1 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();
    expect((await first(grayJpeg)).shape).toEqual([1, 1, 8, 8]);
    expect((await first(await png(3, 4, 4))).shape).toEqual([1, 4, 3, 4]);
  });

  it('are made colour or gray where asked', async () => {
    const color = await first(await png(3, 4, 1), 'force_color: true');
    expect([...color.data]).toEqual(planes(3, 4, 1, [0, 0, 0]));
    expect((await first(await png(3, 4, 4), 'force_color: true')).shape).toEqual([1, 3, 3, 4]);
    const gray = await first(await png(3, 4, 3), 'force_gray: true');
    expect(gray.shape).toEqual([1, 1, 3, 4]);
    const rgb = pixels(3, 4, 3);
    // libpng's gray, which OpenCV asks it for.
    const luma = Array.from(
      { length: 12 },
      (_, i) => (rgb[3 * i] * 9797 + rgb[3 * i + 1] * 19234 + rgb[3 * i + 2] * 3737) >> 15,
    );
    expect([...gray.data]).toEqual(luma);
  });

  it('of CMYK, of 16 bits and with palettes become 8-bit colour', async () => {
    const image = sharp(pixels(8, 8, 3), { raw: { height: 8, width: 8, channels: 3 } });
    for (const bytes of [
      await image.clone().toColourspace('cmyk').jpeg().toBuffer(),
      await image.clone().toColourspace('rgb16').png().toBuffer(),
      await image.clone().png({ palette: true }).toBuffer(),
    ])
      expect((await first(bytes)).shape).toEqual([1, 3, 8, 8]);
  });

  it('may differ in size from batch to batch where there is no crop', async () => {
    const records = [
      ['a', encodedDatum(await png(3, 4, 3), 0)],
      ['b', encodedDatum(await png(5, 2, 3), 1)],
    ] as const;
    const source = await writeLmdb(join(folder, 'sizes'), records);
    const { next, close } = await openLayer(data(source, { batch: 1 }));
    expect((await next()).shape).toEqual([1, 3, 3, 4]);
    expect((await next()).shape).toEqual([1, 3, 5, 2]);
    await close();
    const mixed = await openLayer(data(source, { batch: 2 }));
    const error = await errorOf(mixed.next());
    expect(error.message).toMatch(/sizes: layer 'input': record 'b': its shape \(3, 5, 2\).*crop_size/s);
    await mixed.close();
  });

  it('of another number of channels than the others are named, with the cure', async () => {
    const source = await writeLmdb(join(folder, 'gray among colour'), [
      ['a', encodedDatum(await png(3, 4, 3), 7)],
      ['b', encodedDatum(await png(3, 4, 1), 8)],
    ]);
    // In a batch, and where a batch begins with it.
    for (const [batch, good] of [
      [2, 0],
      [1, 1],
    ]) {
      const { next, close } = await openLayer(data(source, { batch }));
      for (let i = 0; i < good; i++) await next();
      expect((await errorOf(next())).message).toMatch(
        /layer 'input': record 'b': has 1 channel where the batch has 3 channels: .*force_color: true/,
      );
      await close();
    }
    const raw = await writeLmdb(join(folder, 'raw of two kinds'), [
      ['a', rawDatum(1, 3, 4, 3)],
      ['b', rawDatum(2, 3, 4, 1)],
    ]);
    const { next, close } = await openLayer(data(raw, { batch: 2 }));
    expect((await errorOf(next())).message).toMatch(/record 'b': has 1 channel .*store all records/);
    await close();
  });

  it('may be wrapped as the npm package lmdb stores bytes', async () => {
    const wrap = (value: Uint8Array) =>
      value.length < 256
        ? Buffer.concat([Uint8Array.of(0xc4, value.length), value])
        : Buffer.concat([Uint8Array.of(0xc5, value.length >> 8, value.length & 255), value]);
    const source = await writeLmdb(join(folder, 'wrapped'), [
      ['a', wrap(rawDatum(3))],
      ['b', wrap(rawDatum(4, 20, 30))],
    ]);
    const { next, close } = await openLayer(data(source, { batch: 1 }));
    expect((await next()).labels).toEqual([3]);
    expect((await next()).labels).toEqual([4]);
    await close();
  });

  it('may stand among raw ones', async () => {
    const source = await writeLmdb(join(folder, 'mixed'), [
      ['a', rawDatum(7, 3, 4, 3)],
      ['b', encodedDatum(await png(3, 4, 3), 8)],
    ]);
    const { next, close } = await openLayer(data(source, { batch: 2 }));
    const { data: seen, labels } = await next();
    expect(labels).toEqual([7, 8]);
    expect([...seen.subarray(36)]).toEqual(planes(3, 4, 3, [2, 1, 0]));
    await close();
  });
});

describe('what is wrong with records', () => {
  let jpeg: Buffer;
  let source: string;
  beforeAll(async () => {
    jpeg = await sharp(pixels(16, 16, 3), { raw: { height: 16, width: 16, channels: 3 } })
      .jpeg()
      .toBuffer();
    source = await writeLmdb(join(folder, 'bad'), [
      ['0_good', encodedDatum(jpeg, 0)],
      ['1_datum', Uint8Array.of(0x22, 0xff, 0xff, 0x03, 1, 2)],
      ['2_jpeg', encodedDatum(jpeg.subarray(0, 300), 2)],
      ['3_short', encode(create('Datum', { channels: 3, height: 9, width: 9, data: jpeg, label: 3 }))],
      ['4_good', encodedDatum(jpeg, 4)],
      ['5_nothing', new Uint8Array(0)],
      ['6_text', encodedDatum(Buffer.from('no image at all'), 6)],
    ]);
  });

  it.each([
    ['0_good', '1_datum', /bad: layer 'input': record '1_datum': corrupt: /],
    ['1', '2_jpeg', /record '2_jpeg': corrupt: the image cannot be decoded: (premature end|it is damaged)/],
    ['2', '3_short', /record '3_short': corrupt: a Datum of 3 x 9 x 9 needs 243 values and has/],
    ['4', '5_nothing', /record '5_nothing': corrupt: a Datum of 0 x 0 x 0 that holds no encoded image/],
    ['5', '6_text', /record '6_text': corrupt: the image cannot be decoded: .*unsupported image format/],
  ])('after %s: stops and names %s', async (after, _key, message) => {
    const { next, close, layer } = await openLayer(data(source, { batch: 1 }));
    layer.seek(Number(after[0]) + 1);
    const error = await errorOf(next());
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(message);
    await close();
  });

  it('skips and counts them where allowed', async () => {
    const { next, close, layer } = await openLayer(data(source, { batch: 2 }), { skipBad: true });
    expect((await next()).labels).toEqual([0, 4]);
    expect(layer.skippedKeys).toEqual(['1_datum', '2_jpeg', '3_short']);
    expect((await next()).labels).toEqual([0, 4]);
    expect(layer.skipped).toBe(8);
    await close();
  });

  it('finds the first good record for the shape, and says where there is none', async () => {
    const some = await writeLmdb(join(folder, 'late'), [
      ['0', Uint8Array.of(0xff)],
      ['1', encodedDatum(jpeg, 1)],
    ]);
    expect((await errorOf(openLayer(data(some)))).message).toMatch(/late: layer 'input': record '0'/);
    const { next, close } = await openLayer(data(some, { batch: 2 }), { skipBad: true });
    expect((await next()).labels).toEqual([1, 1]);
    await close();
    const none = await writeLmdb(join(folder, 'none'), [['0', Uint8Array.of(0xff)]]);
    const error = await errorOf(openLayer(data(none), { skipBad: true }));
    expect(error.message).toMatch(/none: layer 'input': none of the 1 records can be read/);
  });
});

describe('what is wrong with databases', () => {
  const messageFor = async (source: string) => (await errorOf(openLayer(data(source)))).message;

  it('missing, empty, of something else', async () => {
    expect(await messageFor(join(folder, 'absent'))).toMatch(/absent: layer 'input': there is no such file/);
    expect(await messageFor('')).toMatch(/layer 'input': data_param\.source: is not set/);
    mkdirSync(join(folder, 'hollow'));
    expect(await messageFor(join(folder, 'hollow'))).toMatch(/hollow: layer 'input': is neither an LMDB/);
    mkdirSync(join(folder, 'zero'));
    writeFileSync(join(folder, 'zero/data.mdb'), '');
    expect(await messageFor(join(folder, 'zero'))).toMatch(/zero\/data\.mdb: layer 'input': is empty/);
    mkdirSync(join(folder, 'text'));
    writeFileSync(join(folder, 'text/data.mdb'), 'x'.repeat(9000));
    expect(await messageFor(join(folder, 'text'))).toMatch(
      /data\.mdb: layer 'input': is not an LMDB database/,
    );
    const unfilled = await writeLmdb(join(folder, 'unfilled'), []);
    expect(await messageFor(unfilled)).toMatch(/unfilled: layer 'input': holds no records/);
  });

  it('a single file is a database by its content, whatever its name', async () => {
    const source = await writeNumbered(join(folder, 'folder'), 3);
    renameSync(join(source, 'data.mdb'), join(folder, 'train.db'));
    const { next, close } = await openLayer(data(join(folder, 'train.db')));
    expect((await next()).labels).toEqual([0, 1, 2]);
    await close();
    writeFileSync(join(folder, 'tiny.db'), 'x');
    expect(await messageFor(join(folder, 'tiny.db'))).toMatch(/tiny\.db: layer 'input': is neither an LMDB/);
    expect(await messageFor(join(folder, 'tiny.db/x'))).toMatch(/layer 'input': cannot be read \(ENOTDIR\)/);
  });

  it('truncated anywhere', async () => {
    const source = await writeNumbered(join(folder, 'cut'), 300);
    const file = join(source, 'data.mdb');
    const { length } = readFileSync(file);
    for (const keep of [length - 4096, length >> 1, 8192, 5000, 100]) {
      truncateSync(file, keep);
      expect(await messageFor(source)).toMatch(
        /cut\/data\.mdb: layer 'input': is (truncated|corrupt|not an LMDB)/,
      );
    }
  });
});

describe('what is wrong with the prototxt', () => {
  const errorFor = (options: Parameters<typeof data>[1]) => errorOf(openLayer(data(numbered, options)));

  it.each([
    [
      'mean_file: "m" mean_value: 1',
      /transform_param\.mean_file: cannot specify mean_file and mean_value at/,
    ],
    [
      'mean_value: 1 mean_value: 2 mean_value: 3',
      /specify either 1 mean_value or as many as channels: 2, not 3/,
    ],
    ['force_color: true force_gray: true', /cannot set both force_color and force_gray/],
    ['crop_size: 4', /transform_param\.crop_size: 4 exceeds record '00000000' of 3 x 4 pixels/],
    ['mean_file: "/absent/mean"', /\/absent\/mean/],
  ])('%s', async (transform, message) => {
    const error = await errorFor({ transform });
    expect(error.message).toMatch(message);
  });

  it('a mean image of another size', async () => {
    const file = join(folder, 'other.binaryproto');
    writeBlobProto(
      file,
      create('BlobProto', { num: 1, channels: 2, height: 3, width: 3, data: new Array(18).fill(0) }),
    );
    const error = await errorFor({ transform: `mean_file: "${file}"` });
    expect(error).toBeInstanceOf(NetError);
    expect(error.message).toMatch(
      /the mean of shape \(2, 3, 3\) does not fit record '00000000' of shape \(2, 3, 4\)/,
    );
    const source = await writeLmdb(join(folder, 'two sizes'), [
      ['a', rawDatum(1, 3, 3)],
      ['b', rawDatum(2, 5, 4)],
    ]);
    const { next, close } = await openLayer(
      data(source, { batch: 2, transform: `mean_file: "${file}" crop_size: 2` }),
    );
    expect((await errorOf(next())).message).toMatch(
      /record 'b': has 5 x 4 pixels, the mean image 3 x 3: resize all records to that/,
    );
    await close();
  });

  it('no batch size', async () => {
    expect((await errorFor({ batch: 0 })).message).toMatch(/batch_size: a positive batch size is required/);
  });
});

describe('Data over LevelDB', () => {
  it('finds its end in the first pass and goes round; two layers share it', async () => {
    const source = join(folder, 'level');
    const database = new ClassicLevel<string, Uint8Array>(source, { valueEncoding: 'view' });
    await database.batch(
      Array.from({ length: 20 }, (_, i) => ({
        type: 'put' as const,
        key: String(i).padStart(8, '0'),
        value: rawDatum(i),
      })),
    );
    await database.close();
    const a = await openLayer(data(source, { batch: 15 }));
    const b = await openLayer(data(source, { batch: 4 }));
    expect((await a.next()).labels).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect((await a.next()).labels).toEqual(Array.from({ length: 15 }, (_, i) => (15 + i) % 20));
    expect((await b.next()).labels).toEqual([0, 1, 2, 3]);
    await a.close();
    b.layer.rewind();
    expect((await b.next()).labels).toEqual([0, 1, 2, 3]);
    await b.close();
  });
});

describe('abort', () => {
  it('ends the reading with the reason', async () => {
    const abort = new AbortController();
    const { next, close } = await openLayer(data(numbered, { batch: 40 }), { signal: abort.signal });
    await next();
    abort.abort(new Error('enough'));
    await expect(next().then(next)).rejects.toThrow('enough');
    await close();
  });
});

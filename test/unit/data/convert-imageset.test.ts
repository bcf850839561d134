import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { computeImageMean } from '../../../lib/data/compute-image-mean.js';
import { convertImageset, type ConvertImagesetOptions } from '../../../lib/data/convert-imageset.js';
import { decodeImage, encodeImage } from '../../../lib/data/decode-image.js';
import { LmdbReader } from '../../../lib/native/index.js';
import { decode, has, readBlobProto } from '../../../lib/proto/index.js';
import { dataNet } from './one-layer-net.js';

let folder: string;
let made = 0;
const IMAGES = 12;
/** RGB pixels as they were drawn, by name. */
const drawn = new Map<string, { pixels: Buffer; height: number; width: number }>();

const inside = (name: string) => join(folder, name);
const fresh = () => inside(`db${made++}`);
const list = (name: string, lines: string[]) => writeFileSync(inside(name), lines.join('\n') + '\n');

async function draw(name: string, height: number, width: number, seed: number): Promise<void> {
  const pixels = Buffer.from({ length: height * width * 3 } as ArrayLike<number>);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 37 + seed * 101 + (i % 3) * 60) & 255;
  drawn.set(name, { pixels, height, width });
  const image = sharp(pixels, { raw: { height, width, channels: 3 } });
  await (name.endsWith('.jpg') ? image.jpeg({ quality: 90 }) : image.png()).toFile(inside(name));
}

/** Planes of blue, green, red. */
function bgr(name: string): number[] {
  const { pixels, height, width } = drawn.get(name)!;
  const plane = height * width;
  return Array.from({ length: 3 * plane }, (_, i) => pixels[3 * (i % plane) + 2 - Math.floor(i / plane)]);
}

function convert(options: Partial<ConvertImagesetOptions> & { out: string }) {
  return convertImageset({ root: folder, list: inside('list.txt'), ...options });
}

async function readLmdb(path: string) {
  const reader = new LmdbReader(path);
  const records = await reader.read(0, 1000);
  reader.close();
  return records.map(({ key, value }) => ({ key, value, datum: decode('Datum', value) }));
}

/** No leftovers beside the databases, and none under the name itself. */
function expectNothingAt(out: string): void {
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp') || join(folder, name) === out)).toEqual(
    [],
  );
}

const data = (source: string, more = '') =>
  `layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "${source}" batch_size: ${IMAGES} ${more} } }`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
  mkdirSync(inside('a b'));
  for (let i = 0; i < IMAGES; i++) await draw(`a b/${i}.png`, 5, 7, i);
  await draw('large.png', 9, 6, 1);
  await draw('photo.jpg', 16, 24, 2);
  list(
    'list.txt',
    Array.from({ length: IMAGES }, (_, i) => `a b/${i}.png ${i * 3}`),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('convertImageset', () => {
  it.each(['lmdb', 'leveldb'] as const)(
    'makes a %s that Data reads with the same pixels',
    async (backend) => {
      const out = fresh();
      const seen: number[] = [];
      const result = await convert({ out, backend, onProgress: ({ done }) => seen.push(done) });
      expect(result).toEqual({ total: IMAGES, stored: IMAGES, skipped: 0 });
      expect(seen).toEqual(Array.from({ length: IMAGES }, (_, i) => i + 1));
      const net = await dataNet(data(out, `backend: ${backend.toUpperCase()}`));
      try {
        await net.forward();
        expect(net.blob('data').shape).toEqual([IMAGES, 3, 5, 7]);
        expect([...net.blob('data').data]).toEqual(
          Array.from({ length: IMAGES }, (_, i) => bgr(`a b/${i}.png`)).flat(),
        );
        expect([...net.blob('label').data]).toEqual(Array.from({ length: IMAGES }, (_, i) => i * 3));
      } finally {
        await net.close();
      }
      expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    },
  );

  it("writes Caffe's keys and fields", async () => {
    const out = fresh();
    await convert({ out });
    const records = await readLmdb(out);
    expect(records.map(({ key }) => key).slice(0, 2)).toEqual(['00000000_a b/0.png', '00000001_a b/1.png']);
    const { datum } = records[1];
    expect(datum).toMatchObject({ channels: 3, height: 5, width: 7, label: 3, encoded: false });
    expect(has(datum, 'encoded')).toBe(true);
    // Fields in the order of their numbers: channels, height, width, then 105 bytes of pixels.
    expect([...records[1].value.slice(0, 8)]).toEqual([8, 3, 16, 5, 24, 7, 34, 105]);
    expect([...records[1].value.slice(-4)]).toEqual([40, 3, 56, 0]);
  });

  it('makes gray and resized images', async () => {
    list('large.txt', ['large.png 1']);
    const gray = fresh();
    await convert({ out: gray, list: inside('large.txt'), gray: true });
    const [{ datum }] = await readLmdb(gray);
    const { pixels } = drawn.get('large.png')!;
    // libpng's gray, which OpenCV asks it for.
    const luma = (i: number) =>
      (pixels[3 * i] * 9797 + pixels[3 * i + 1] * 19234 + pixels[3 * i + 2] * 3737) >> 15;
    expect(datum.channels).toBe(1);
    expect([...datum.data]).toEqual(Array.from({ length: 54 }, (_, i) => luma(i)));

    const resized = fresh();
    await convert({ out: resized, list: inside('large.txt'), resizeHeight: 4, resizeWidth: 3 });
    expect((await readLmdb(resized))[0].datum).toMatchObject({ channels: 3, height: 4, width: 3 });
  });

  it('keeps encoded images as they are where nothing changes them', async () => {
    list('photo.txt', ['photo.jpg 4']);
    const options = { list: inside('photo.txt'), encoded: true };
    const same = fresh();
    await convert({ out: same, ...options });
    const [{ datum }] = await readLmdb(same);
    expect(datum).toMatchObject({ encoded: true, label: 4, channels: 0, height: 0, width: 0 });
    expect(Buffer.from(datum.data).equals(readFileSync(inside('photo.jpg')))).toBe(true);

    const png = fresh();
    await convert({ out: png, ...options, encoded: false, encodeType: 'png' });
    const original = await sharp(inside('photo.jpg')).raw().toBuffer();
    const stored = Buffer.from((await readLmdb(png))[0].datum.data);
    expect((await sharp(stored).metadata()).format).toBe('png');
    expect((await sharp(stored).raw().toBuffer()).equals(original)).toBe(true);

    const small = fresh();
    await convert({ out: small, ...options, resizeHeight: 8, resizeWidth: 8 });
    const resized = Buffer.from((await readLmdb(small))[0].datum.data);
    expect(await sharp(resized).metadata()).toMatchObject({ format: 'jpeg', height: 8, width: 8 });
  });

  it('stores encoded what a file is, whatever it is called', async () => {
    const bmp = await encodeImage(
      { data: drawn.get('large.png')!.pixels, height: 9, width: 6, channels: 3 },
      'bmp',
    );
    writeFileSync(inside('bare'), bmp);
    writeFileSync(inside('wrong.jpg'), bmp);
    writeFileSync(inside('camera.JPE'), readFileSync(inside('photo.jpg')));
    list('names.txt', ['bare 0', 'wrong.jpg 1', 'camera.JPE 2']);
    const options = { list: inside('names.txt'), encoded: true };
    const same = fresh();
    await convert({ out: same, ...options });
    const stored = await readLmdb(same);
    expect(stored.map(({ datum }) => datum.encoded)).toEqual([true, true, true]);
    for (const [i, name] of ['bare', 'wrong.jpg', 'camera.JPE'].entries())
      expect(Buffer.from(stored[i].datum.data).equals(readFileSync(inside(name)))).toBe(true);

    const small = fresh();
    await convert({ out: small, ...options, resizeHeight: 8, resizeWidth: 8 });
    const starts = (await readLmdb(small)).map(({ datum }) =>
      Buffer.from(datum.data.subarray(0, 2)).toString('latin1'),
    );
    expect(starts).toEqual(['BM', 'BM', '\xff\xd8']);
    const source = await dataNet(data(small).replace(`batch_size: ${IMAGES}`, 'batch_size: 3'));
    await source.forward();
    expect(source.blob('data').shape).toEqual([3, 3, 8, 8]);
    await source.close();
  });

  it('keeps the colours of files that it stores as they are, gray or not, as Caffe does', async () => {
    list('photo.txt', ['photo.jpg 4']);
    const out = fresh();
    await convert({ out, list: inside('photo.txt'), gray: true, encoded: true });
    expect(Buffer.from((await readLmdb(out))[0].datum.data).equals(readFileSync(inside('photo.jpg')))).toBe(
      true,
    );
    const made = fresh();
    await convert({ out: made, list: inside('photo.txt'), gray: true, encodeType: 'png' });
    const image = await decodeImage((await readLmdb(made))[0].datum.data, 'native');
    expect(image).toEqual(await decodeImage(readFileSync(inside('photo.jpg')), 'gray'));
  });

  it('tells of which labels no image is left', async () => {
    list('holes.txt', ['gone.png 7', 'large.png 2', 'gone too.png 2', 'gone as well.png -1']);
    let empty: readonly number[] = [];
    await convert({ out: fresh(), list: inside('holes.txt'), onEmptyLabels: (labels) => (empty = labels) });
    expect(empty).toEqual([-1, 7]);
  });

  it('shuffles by the seed, keys ascending all the same', async () => {
    const labels = async (seed: number) => {
      const out = fresh();
      await convert({ out, shuffle: true, seed });
      const records = await readLmdb(out);
      expect(records.every(({ key }, i) => key.startsWith(`${String(i).padStart(8, '0')}_`))).toBe(true);
      return records.map(({ datum }) => datum.label);
    };
    const one = await labels(1);
    expect([...one].sort((a, b) => a - b)).toEqual(Array.from({ length: IMAGES }, (_, i) => i * 3));
    expect(one).not.toEqual([...one].sort((a, b) => a - b));
    expect(await labels(1)).toEqual(one);
    expect(await labels(2)).not.toEqual(one);
  });

  it('leaves out what cannot be read, its number too', async () => {
    writeFileSync(inside('broken.png'), readFileSync(inside('large.png')).subarray(0, 60));
    list('holes.txt', ['gone.png 1', 'large.png 2', 'broken.png 3', 'a b/0.png 4']);
    const skipped: string[] = [];
    const out = fresh();
    const result = await convert({
      out,
      list: inside('holes.txt'),
      onSkip: ({ name, reason }) => skipped.push(`${name}: ${reason}`),
    });
    expect(result).toEqual({ total: 4, stored: 2, skipped: 2 });
    expect(skipped[0]).toMatch(/^gone\.png: cannot be read \(ENOENT\)/);
    expect(skipped[1]).toMatch(/^broken\.png: the image cannot be decoded/);
    expect((await readLmdb(out)).map(({ key }) => key)).toEqual(['00000001_large.png', '00000003_a b/0.png']);
  });

  it('leaves nothing behind when it fails or is stopped', async () => {
    const out = fresh();
    list('none.txt', ['gone.png 1']);
    await expect(convert({ out, list: inside('none.txt') })).rejects.toThrow(
      /none\.txt: none of the 1 images can be used; the first, 'gone\.png': cannot be read/,
    );
    expectNothingAt(out);
    list('sizes.txt', ['a b/0.png 1', 'large.png 1']);
    await expect(convert({ out, list: inside('sizes.txt'), checkSize: true })).rejects.toThrow(
      /sizes\.txt: check_size: 'large\.png' has 9 x 6 pixels, 'a b\/0\.png' 5 x 7/,
    );
    expectNothingAt(out);
    const controller = new AbortController();
    const stop = ({ done }: { done: number }) => done === 5 && controller.abort(new Error('stopped'));
    for (const backend of ['lmdb', 'leveldb'] as const)
      await expect(convert({ out, backend, signal: controller.signal, onProgress: stop })).rejects.toThrow(
        'stopped',
      );
    expectNothingAt(out);
    list('long.txt', [`${'./'.repeat(260)}large.png 1`]);
    await expect(convert({ out, list: inside('long.txt') })).rejects.toThrow(
      new RegExp(`${out}: key '00000000_.*a key has 1 to 511 bytes`),
    );
    expectNothingAt(out);
  });

  it('says before the work what cannot be', async () => {
    const out = fresh();
    await expect(convert({ out, resizeHeight: 3 })).rejects.toThrow(
      /resize_height: is given without the other/,
    );
    await expect(convert({ out, resizeHeight: -3, resizeWidth: 1 })).rejects.toThrow(/resize_height.*-3/);
    await expect(convert({ out, encodeType: 'gif' })).rejects.toThrow(/encode_type: 'gif' is not known/);
    await expect(convert({ out: folder })).rejects.toThrow(/exists already/);
    await expect(convert({ out: inside('nowhere/db') })).rejects.toThrow(/folder .*nowhere does not exist/);
    await expect(convert({ out, list: inside('no list') })).rejects.toThrow(
      /no list: cannot be read \(ENOENT\)/,
    );
    expectNothingAt(out);
  });
});

describe('computeImageMean', () => {
  const expected = () => {
    const images = Array.from({ length: IMAGES }, (_, i) => bgr(`a b/${i}.png`));
    return images[0].map((_, i) => Math.fround(images.reduce((sum, image) => sum + image[i], 0) / IMAGES));
  };

  it.each([
    ['lmdb', false],
    ['leveldb', false],
    ['lmdb', true],
  ] as const)('of a %s (encoded: %s) is the mean of its pixels', async (backend, encoded) => {
    const db = fresh();
    await convert({ out: db, backend, encoded });
    const out = `${db}.binaryproto`;
    const totals = new Set<number | null>();
    const { mean, channelMeans, count } = await computeImageMean({
      db,
      out,
      onProgress: ({ total }) => totals.add(total),
    });
    expect([...totals][0]).toBe(backend === 'lmdb' ? IMAGES : null);
    expect(count).toBe(IMAGES);
    expect([...mean.data]).toEqual(expected());
    const green = expected().slice(35, 70);
    expect(channelMeans[1]).toBeCloseTo(green.reduce((sum, value) => sum + value) / 35, 3);
    const written = readBlobProto(out);
    expect(written).toMatchObject({ num: 1, channels: 3, height: 5, width: 7 });
    expect(written.shape).toBeNull();
    expect([...written.data]).toEqual([...mean.data]);
  });

  it('names the record that differs in shape, and the database that is none', async () => {
    const db = fresh();
    await convert({ out: db, list: inside('sizes.txt') });
    await expect(computeImageMean({ db })).rejects.toThrow(
      /record '00000001_large\.png' is 3 x 9 x 6, record '00000000_a b\/0\.png' 3 x 5 x 7/,
    );
    await expect(computeImageMean({ db: inside('nowhere') })).rejects.toThrow(/nowhere/);
    await expect(computeImageMean({ db: inside('a b') })).rejects.toThrow(/is neither an LMDB/);
    await expect(computeImageMean({ db, out: inside('no/where') })).rejects.toThrow(/cannot be written/);
  });
});

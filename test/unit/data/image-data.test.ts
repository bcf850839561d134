import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Phase } from '../../../lib/proto/index.js';
import { encodeImage } from '../../../lib/data/index.js';
import { convertImage } from '../../../lib/native/index.js';
import { onWarning } from '../../../lib/util/warnings.js';
import { errorOf, openLayer, pixels, png, temporaryFolder } from './sources.js';

const folder = temporaryFolder();
const list = join(folder, 'list.txt');

beforeAll(async () => {
  // Three classes with 3, 1 and 2 images; the label is also the darkest value.
  for (const [name, count] of [
    ['ant', 3],
    ['bee', 1],
    ['cat', 2],
  ] as const) {
    mkdirSync(join(folder, 'classes', name), { recursive: true });
    for (let i = 0; i < count; i++)
      writeFileSync(join(folder, 'classes', name, `image ${i}.png`), await png(4, 4, 3, i));
  }
  writeFileSync(join(folder, 'classes', 'ant', 'notes.txt'), 'no image');
  writeFileSync(
    list,
    'ant/image 0.png 5\nbee/image 0.png 6\r\n\ncat/image 1.png 7\nant/image 2.png 8 \nant/image 1.png -1\n',
  );
});

function imageData(more: string, source = list, type = 'ImageData'): string {
  return `layer { name: "images" type: "${type}" top: "data" top: "label"
    image_data_param { source: "${source}" root_folder: "${type === 'ImageData' ? `${folder}/classes/` : ''}" ${more} } }`;
}

describe('ImageData', () => {
  it('reads the list in its order, names with blanks included', async () => {
    const { next, close, layer } = await openLayer(imageData('batch_size: 3'));
    const first = await next();
    expect(first.shape).toEqual([3, 3, 4, 4]);
    expect(first.labels).toEqual([5, 6, 7]);
    // Blue of the first pixels: value of channel 2.
    expect([0, 48, 96].map((i) => first.data[i])).toEqual([2, 2, 3]);
    expect(layer.recordCount).toBe(5);
    await close();
  });

  it('names the image that it cannot read, or skips it', async () => {
    const gone = join(folder, 'gone.txt');
    writeFileSync(gone, 'ant/image 0.png 5\nant/gone.png 8\nant/image 1.png -1\n');
    const { next, close } = await openLayer(imageData('batch_size: 3', gone));
    expect((await errorOf(next())).message).toMatch(
      /gone\.txt: layer 'images': record 'ant\/gone\.png': .*cannot be read \(ENOENT\)/,
    );
    await close();
    const skipping = await openLayer(imageData('batch_size: 3', gone), { skipBad: true });
    expect((await skipping.next()).labels).toEqual([5, -1, 5]);
    expect(skipping.layer.skippedKeys).toContain('ant/gone.png');
    await skipping.close();
  });

  it('resizes as OpenCV does, then makes what the transform wants', async () => {
    const { next, close } = await openLayer(imageData('batch_size: 1 new_height: 7 new_width: 5'));
    const { data, shape } = await next();
    expect(shape).toEqual([1, 3, 7, 5]);
    const image = { data: pixels(4, 4, 3), height: 4, width: 4, channels: 3 };
    const resized = await convertImage(image, { height: 7, width: 5 });
    expect([...data.subarray(0, 35)]).toEqual(Array.from({ length: 35 }, (_, i) => resized.data[3 * i + 2]));
    await close();
    const gray = await openLayer(imageData('batch_size: 1 is_color: false'));
    expect((await gray.next()).shape).toEqual([1, 1, 4, 4]);
    await gray.close();
  });

  it('shuffles every pass anew, by the seed', async () => {
    const good = join(folder, 'good.txt');
    const names = ['ant/image 0', 'ant/image 1', 'ant/image 2', 'bee/image 0', 'cat/image 0', 'cat/image 1'];
    writeFileSync(good, names.map((name, i) => `${name}.png ${i}`).join('\n'));
    const passes = async (seed: number) => {
      const { next, close } = await openLayer(imageData('batch_size: 6 shuffle: true', good), {
        seed,
        phase: Phase.TRAIN,
      });
      const labels = [(await next()).labels, (await next()).labels, (await next()).labels];
      await close();
      return labels;
    };
    const orders = await passes(3);
    for (const order of orders) expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
    expect(await passes(3)).toEqual(orders);
    expect(await passes(4)).not.toEqual(orders);
  });

  it('turns images as EXIF says', async () => {
    const upright = sharp(pixels(2, 6, 3), { raw: { height: 2, width: 6, channels: 3 } });
    writeFileSync(
      join(folder, 'classes/turned.jpg'),
      await upright.withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    );
    writeFileSync(join(folder, 'turned.txt'), 'turned.jpg 0');
    const { next, close } = await openLayer(imageData('batch_size: 1', join(folder, 'turned.txt')));
    expect((await next()).shape).toEqual([1, 3, 6, 2]);
    await close();
  });

  it('needs no labels where it has no top for them', async () => {
    const bare = join(folder, 'bare.txt');
    writeFileSync(bare, 'ant/image 0.png\nbee/image 0.png 6\n');
    expect((await errorOf(openLayer(imageData('batch_size: 2', bare)))).message).toMatch(
      /bare\.txt:1:1: layer 'images': 'ant\/image 0\.png' has no label/,
    );
    const { next, close } = await openLayer(imageData('batch_size: 2', bare).replace('top: "label"', ''));
    expect((await next()).shape).toEqual([2, 3, 4, 4]);
    await close();
  });

  it('says what is wrong with the list', async () => {
    const messageFor = async (more: string, source: string) =>
      (await errorOf(openLayer(imageData(more, source)))).message;
    expect(await messageFor('batch_size: 1', join(folder, 'absent.txt'))).toMatch(
      /absent\.txt: layer 'images': cannot be read \(ENOENT\)/,
    );
    writeFileSync(join(folder, 'empty.txt'), '\n');
    expect(await messageFor('batch_size: 1', join(folder, 'empty.txt'))).toMatch(/lists no images/);
    expect(await messageFor('batch_size: 1 new_height: 3', list)).toMatch(/must be set together/);
  });
});

describe('a folder of class folders', () => {
  const labels = [0, 1, 2, 0, 2, 0];

  it('labels classes by name and lets them take turns', async () => {
    const { next, close } = await openLayer(
      imageData('batch_size: 6', join(folder, 'classes'), 'ImageFolder'),
    );
    expect((await next()).labels).toEqual(labels);
    await close();
  });

  it('stands in for a database, as a list and another database do', async () => {
    const text = `layer { name: "input" type: "Data" top: "data" top: "label"
      data_param { source: "/nowhere" batch_size: 6 backend: LMDB } }`;
    const { next, close } = await openLayer(text, { dataSource: join(folder, 'classes') });
    expect(await next()).toMatchObject({ labels, shape: [6, 3, 4, 4] });
    await close();
    writeFileSync(join(folder, 'full.txt'), `${folder}/classes/bee/image 0.png 9`);
    const listed = await openLayer(text, { dataSource: join(folder, 'full.txt') });
    expect((await listed.next()).labels).toEqual([9, 9, 9, 9, 9, 9]);
    await listed.close();
  });

  it('serves every image, whatever its ending, and tells what it leaves out', async () => {
    const root = join(folder, 'mixed');
    for (const name of ['a', 'b']) mkdirSync(join(root, name), { recursive: true });
    const image = { data: pixels(4, 4, 3), height: 4, width: 4, channels: 3 };
    const bmp = await encodeImage(image, 'bmp');
    for (const [name, bytes] of [
      ['a/1.BMP', bmp],
      ['a/2.dat', bmp],
      ['a/3.ppm', await encodeImage(image, 'ppm')],
      ['a/4.JFIF', await encodeImage(image, 'jpg')],
      ['b/bare', await encodeImage(image, 'tif')],
    ] as const)
      writeFileSync(join(root, name), bytes);
    symlinkSync(join(root, 'a'), join(root, 'c'));
    mkdirSync(join(root, 'b/deeper'));
    for (const name of ['a/notes.txt', 'b/empty', 'list.txt']) writeFileSync(join(root, name), '');
    const told: string[] = [];
    onWarning((message) => told.push(message));
    const { next, close, layer } = await openLayer(imageData('batch_size: 9', root, 'ImageFolder'));
    expect(layer.recordCount).toBe(9);
    const { labels, data } = await next();
    expect(labels).toEqual([0, 1, 2, 0, 2, 0, 2, 0, 2]);
    expect([...data.subarray(0, 16)]).toEqual(Array.from({ length: 16 }, (_, i) => image.data[3 * i + 2]));
    await close();
    expect(told).toEqual([
      `${root}: 5 entries are left out, as no images of a class: list.txt, a/notes.txt, b/empty, b/deeper/, c/notes.txt`,
    ]);
  });

  it('with a class without images is an error that names both', async () => {
    for (const name of ['first', 'second']) mkdirSync(join(folder, 'partly', name), { recursive: true });
    writeFileSync(join(folder, 'partly/first/1.png'), await png(4, 4, 3));
    writeFileSync(join(folder, 'partly/second/1.xcf'), 'no image that is read');
    const text = imageData('batch_size: 1', join(folder, 'partly'), 'ImageFolder');
    expect((await errorOf(openLayer(text))).message).toMatch(
      /partly: layer 'images': holds no images of class second: .*; left out, as no images: second\/1\.xcf/,
    );
  });

  it('without images is an error', async () => {
    mkdirSync(join(folder, 'hollow/class'), { recursive: true });
    const text = imageData('batch_size: 1', join(folder, 'hollow'), 'ImageFolder');
    expect((await errorOf(openLayer(text))).message).toMatch(/hollow: layer 'images': holds no images/);
  });
});

it('WindowData is refused by name', async () => {
  const text = 'layer { name: "w" type: "WindowData" top: "data" top: "label" }';
  expect((await errorOf(openLayer(text))).message).toMatch(/layer 'w': type: WindowData is not supported/);
});

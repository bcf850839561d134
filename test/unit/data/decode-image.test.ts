// Images of all types against what OpenCV 4.6.0 (imread, imdecode) makes of the same bytes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage, encodeImage, encodeTypes, type ColorMode } from '../../../lib/data/index.js';
import { DataError } from '../../../lib/errors/index.js';
import { errorOf, pixels } from './sources.js';

interface Expected {
  /** Height, width, channels. */
  shape: [number, number, number];
  /** In hexadecimal, rows of pixels as OpenCV orders them: B, G, R. */
  pixels: string;
}
/** Small files and what OpenCV 4.6.0 reads: with IMREAD_COLOR, _GRAYSCALE and _UNCHANGED (high bytes of 16 bits). */
const images = JSON.parse(readFileSync(join(import.meta.dirname, 'opencv-images.json'), 'utf8')) as ({
  name: string;
  file: string;
} & Record<ColorMode, Expected>)[];

const modes: readonly ColorMode[] = ['color', 'gray', 'native'];

/** Red and blue change places, as OpenCV has them. */
function swapped(data: Uint8Array, channels: number): number[] {
  return Array.from(data, (value, i) => {
    const c = i % channels;
    return channels >= 3 && c < 3 ? data[i - c + 2 - c] : value;
  });
}

const messageOf = async (bytes: Uint8Array, mode: ColorMode = 'color'): Promise<string> => {
  const error = await errorOf(decodeImage(bytes, mode));
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).not.toContain('\n');
  return error.message;
};

const u32 = (...values: number[]) =>
  values.flatMap((v) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24]);

/** A BMP of `bits` bits with a palette whose colour i is (i, 2 i, 3 i) of red, green and blue. */
function bmp(height: number, width: number, bits: number, compression: number, body: number[]): Uint8Array {
  const colors = Array.from({ length: 1 << bits }, (_, i) => [(3 * i) & 255, (2 * i) & 255, i, 0]).flat();
  const offset = 54 + colors.length;
  return Uint8Array.from([
    ...[0x42, 0x4d, ...u32(offset + body.length, 0, offset)],
    ...[...u32(40, width, height), 1, 0, bits, 0, ...u32(compression, body.length, 0, 0, 0, 0)],
    ...colors,
    ...body,
  ]);
}

/** Red of each pixel, which is the index, a row a text. */
async function indices(bytes: Uint8Array): Promise<string[]> {
  const { data, height, width } = await decodeImage(bytes, 'color');
  const red = Array.from({ length: height * width }, (_, i) => data[3 * i]);
  return Array.from({ length: height }, (_, y) => red.slice(y * width, (y + 1) * width).join(' '));
}

describe('an image is decoded as OpenCV decodes it:', () => {
  it.each(images.map((image) => [image.name, image] as const))('%s', async (_name, image) => {
    for (const mode of modes) {
      const { shape, pixels: expected } = image[mode];
      const { data, height, width, channels } = await decodeImage(Buffer.from(image.file, 'hex'), mode);
      expect([mode, height, width, channels]).toEqual([mode, ...shape]);
      expect([mode, ...swapped(data, channels)]).toEqual([mode, ...Buffer.from(expected, 'hex')]);
    }
  });

  it('BMP of 8 bits, of a palette and of one of gray', async () => {
    const rows = [5, 6, 7, 0, 1, 2, 255, 0];
    expect(await indices(bmp(2, 3, 8, 0, rows))).toEqual(['1 2 255', '5 6 7']);
    expect((await decodeImage(bmp(2, 3, 8, 0, rows), 'gray')).data[0]).toBe(
      (1 * 4899 + 2 * 9617 + 3 * 1868 + 8192) >> 14,
    );
    const gray = bmp(2, 3, 8, 0, rows);
    for (let i = 0; i < 256; i++) gray.fill(i, 54 + 4 * i, 57 + 4 * i);
    expect(await decodeImage(gray, 'native')).toMatchObject({
      channels: 1,
      data: Uint8Array.of(1, 2, 255, 5, 6, 7),
    });
  });

  // Runs, literal pixels, ends of rows, skips of the rest of a row, of pixels and rows, and of the rest.
  it.each([
    [8, [3, 1, 0, 3, 7, 8, 9, 0, 0, 0, 2, 2, 0, 1], ['0 0 0 0 0 0', '2 2 0 0 0 0', '1 1 1 7 8 9']],
    [8, [6, 1, 2, 2, 0, 0, 1, 3, 0, 1], ['3 0 0 0 0 0', '2 2 0 0 0 0', '1 1 1 1 1 1']],
    [8, [6, 1, 0, 0, 2, 2, 0, 1], ['0 0 0 0 0 0', '2 2 0 0 0 0', '1 1 1 1 1 1']],
    [8, [1, 1, 0, 2, 2, 1, 2, 2, 0, 1], ['0 0 0 0 0 0', '0 0 0 2 2 0', '1 0 0 0 0 0']],
    [8, [0, 1], ['0 0 0 0 0 0', '0 0 0 0 0 0', '0 0 0 0 0 0']],
    [4, [3, 0x12, 0, 3, 0x78, 0x90, 0, 0, 2, 0x22, 0, 1], ['0 0 0 0 0 0', '2 2 0 0 0 0', '1 2 1 7 8 9']],
    // OpenCV stays in the row, whatever rows are skipped.
    [4, [1, 0x10, 0, 2, 2, 1, 2, 0x34, 0, 1], ['0 0 0 0 0 0', '0 0 0 0 0 0', '1 0 0 3 4 0']],
  ])('BMP of run lengths of %i bits: %j', async (bits, body, expected) => {
    // Zeros behind the end, which OpenCV reads of 4 bits.
    expect(await indices(bmp(3, 6, bits, bits === 8 ? 1 : 2, [...body, 0, 0, 0, 0, 0, 0]))).toEqual(expected);
  });

  it('JPEG without the marker of its end, if it is whole', async () => {
    const jpeg = await sharp(pixels(40, 50, 3), { raw: { height: 40, width: 50, channels: 3 } })
      .jpeg()
      .toBuffer();
    const whole = await decodeImage(jpeg, 'color');
    expect(await decodeImage(jpeg.subarray(0, -2), 'color')).toEqual(whole);
    expect(await messageOf(jpeg.subarray(0, -40))).toMatch(
      /cannot be decoded: (premature end|it is damaged)/,
    );
  });

  it('interlaced PNG', async () => {
    const raw = sharp(pixels(9, 11, 3), { raw: { height: 9, width: 11, channels: 3 } });
    const plain = await raw.clone().png().toBuffer();
    const interlaced = await raw.clone().png({ progressive: true }).toBuffer();
    for (const mode of modes)
      expect(await decodeImage(interlaced, mode)).toEqual(await decodeImage(plain, mode));
  });
});

describe('what is no image that can be decoded is told in one line:', () => {
  const chunk = (name: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };

  it.each([60000, 2 ** 31 - 1])('%i pixels a side', async (side) => {
    const size = Buffer.alloc(13);
    size.writeUInt32BE(side, 0);
    size.writeUInt32BE(side, 4);
    size.set([8, 2, 0, 0, 0], 8);
    const png = Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', size),
      chunk('IDAT', deflateSync(Buffer.alloc(100))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
    const before = process.memoryUsage.rss();
    for (const mode of modes) {
      expect(await messageOf(png, mode)).toMatch(/exceeds pixel limit|cannot be decoded/);
      for (const kind of [1, 2, 3, 4, 5, 6])
        expect(await messageOf(Buffer.from(`P${kind}\n${side} ${side}\n255\n1 2 3 4`), mode)).toMatch(
          /more than 134217728 are not decoded/,
        );
      for (const [bits, compression] of [
        [8, 0],
        [8, 1],
        [4, 2],
      ])
        expect(await messageOf(bmp(side, side, bits, compression, [4, 1, 0, 1]), mode)).toMatch(
          new RegExp(`${side} x ${side} pixels; more than 134217728 are not decoded`),
        );
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
  });

  it('TIFFs whose pixels the decoder would take for others, or cannot unpack', async () => {
    /** One pixel of three samples: width, height, bits, compression, photometric, where it stands, samples, rows, bytes. */
    const tiff = (compression: number, photometric: number) => {
      const entries = [
        256,
        1,
        257,
        1,
        258,
        8,
        259,
        compression,
        262,
        photometric,
        273,
        122,
        277,
        3,
        278,
        1,
        279,
        3,
      ];
      const bytes = Buffer.alloc(125);
      bytes.write('II*\0', 'latin1');
      bytes.writeUInt32LE(8, 4);
      bytes.writeUInt16LE(9, 8);
      for (let i = 0; i < 9; i++) {
        bytes.writeUInt16LE(entries[2 * i], 10 + 12 * i);
        bytes.writeUInt16LE(3, 12 + 12 * i);
        bytes.writeUInt32LE(1, 14 + 12 * i);
        bytes.writeUInt16LE(entries[2 * i + 1], 18 + 12 * i);
      }
      bytes.set([10, 20, 30], 122);
      return bytes;
    };
    expect([...(await decodeImage(tiff(1, 2), 'color')).data]).toEqual([10, 20, 30]);
    for (const [compression, photometric, reason] of [
      [1, 6, 'luma and chroma (YCbCr) without JPEG'],
      [50000, 2, 'compressed with ZSTD'],
      [34925, 2, 'compressed with LZMA'],
    ] as const)
      expect((await errorOf(decodeImage(tiff(compression, photometric), 'color'))).message).toContain(reason);
  });

  it('files that are cut off at any place', async () => {
    for (const { name, file } of images) {
      const bytes = Buffer.from(file, 'hex');
      // A part of a WebP or TIFF may be whole, or decode up to where it ends.
      if (/\.(bmp|p.m)$/.test(name))
        for (const length of [2, 10, 20, 30, 53, 55, bytes.length - 1])
          if (length < bytes.length && !/^p[123]|rle/.test(name))
            expect(`${name}: ${await messageOf(bytes.subarray(0, length))}`).toMatch(
              /early|unsupported|not known|expected|largest/,
            );
      for (const part of [0.3, 0.6])
        await decodeImage(bytes.subarray(0, Math.floor(part * bytes.length)), 'color').catch(
          (error: Error) => {
            expect(error).toBeInstanceOf(DataError);
            expect(error.message).not.toContain('\n');
          },
        );
    }
  });

  it.each([
    ['', 'the image is empty'],
    ['some text', 'unsupported image format; read are JPEG, PNG'],
    ['P7\nWIDTH 4\n', 'unsupported image format'],
    ['<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>', 'unsupported image format'],
    ['P5\n3 2\n0\n123456', 'its largest value is 0'],
    ['P5\n3 2\n65536\n123456123456', 'its largest value is 65536'],
    ['P5\n0 2\n255\n', 'its header gives 2 x 0 pixels'],
    ['P5\n-3 2\n255\n123456', 'a number is expected'],
    ['P2\n2 2\n255\n1 2 x 4', 'a number is expected'],
    ['P2\n2 2\n255\n1 2 3    ', 'its pixels end early'],
  ])('%j', async (text, message) => {
    expect(await messageOf(Buffer.from(text))).toContain(message);
  });

  it.each([
    ['a header of 20 bytes', 14, 20, /header of 20 bytes, which is not known/],
    ['7 bits a pixel', 28, 7, /7 bits a pixel with compression 0, which is not read/],
    ['JPEG inside', 30, 4, /compression 4, which is not read/],
    ['a palette of 300 colours', 47, 1, /palette of 300 colours/],
    ['pixels beyond the end', 12, 1, /its pixels end early/],
  ])('a BMP with %s', async (_name, at, value, message) => {
    const bytes = bmp(2, 3, 8, 0, [1, 2, 3, 0, 4, 5, 6, 0]);
    if (at === 47) bytes[46] = 44;
    bytes[at] = value;
    expect(await messageOf(bytes)).toMatch(message);
  });

  it('runs beyond the end of their row, and of the file', async () => {
    expect(await messageOf(bmp(3, 6, 8, 1, [7, 1, 0, 1]))).toMatch(/a run of 7 pixels goes beyond/);
    expect(await messageOf(bmp(3, 6, 4, 2, [6, 1, 1, 1, 0, 1]))).toMatch(/a run of 1 pixels goes beyond/);
    expect(await messageOf(bmp(3, 6, 8, 1, [5, 1, 0]))).toMatch(/its pixels end early/);
  });
});

describe('encodeImage', () => {
  it.each(encodeTypes)(
    'makes a %s that is decoded to the same size, and pixels if it keeps them',
    async (type) => {
      for (const channels of [1, 3] as const) {
        const image = { data: pixels(5, 7, channels), height: 5, width: 7, channels };
        const decoded = await decodeImage(await encodeImage(image, type), 'native');
        expect(decoded).toMatchObject(
          type === 'webp' ? { height: 5, width: 7 } : { height: 5, width: 7, channels },
        );
        if (type !== 'webp' && type !== 'jpg') expect([...decoded.data]).toEqual([...image.data]);
      }
    },
  );
});

// What the machine cannot give is no fault of an image, which must not be left out for it.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { convertImageset, encodeImage } from '../../../lib/data/index.js';
import { decodeImage } from '../../../lib/data/decode-image.js';
import { DataError, MachineError } from '../../../lib/errors/index.js';

const failure = vi.hoisted(() => ({ message: '' }));
vi.mock('../../../lib/data/image/sharp-pixels.js', async (original) => ({
  ...(await original<object>()),
  pixelsOf: () => Promise.reject(new Error(failure.message)),
}));

let top: string;
let png: Uint8Array;
beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'machine-errors-'));
  png = await encodeImage({ data: new Uint8Array(12), height: 2, width: 2, channels: 3 }, 'png');
  writeFileSync(join(top, 'a.png'), png);
  writeFileSync(join(top, 'list.txt'), 'a.png 0\n');
});
afterAll(() => rmSync(top, { recursive: true }));

describe('an image that the machine cannot decode', () => {
  it.each([
    ['glib: Error creating thread: Resource temporarily unavailable', /no more threads/],
    ['VipsImage: out of memory --- size == 12MB', /no memory left/],
    ['cannot allocate 1024 bytes', /no memory left/],
  ])('%s', async (message, says) => {
    failure.message = message;
    const error = await decodeImage(png, 'color').catch((e: unknown) => e as Error);
    expect(error).toBeInstanceOf(MachineError);
    expect((error as Error).message).toMatch(says);
    const onSkip = vi.fn();
    const converted = convertImageset({
      root: top,
      list: join(top, 'list.txt'),
      out: join(top, 'db'),
      onSkip,
    });
    await expect(converted).rejects.toThrow(MachineError);
    await expect(converted).rejects.toThrow(/a\.png: /);
    expect(onSkip).not.toHaveBeenCalled();
    expect(readdirSync(top).sort()).toEqual(['a.png', 'list.txt']);
  });

  it('is told from a damaged one', async () => {
    failure.message = 'pngload_buffer: libspng read error';
    await expect(decodeImage(png, 'color')).rejects.toThrow(DataError);
  });
});

// Batches on their way to a GPU, that the host executor plays.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type * as Stagings from '../../../lib/data/staging.js';
import type * as Uploading from '../../../lib/data/uploads.js';
import type * as Native from '../../../lib/native/index.js';

let native: typeof Native;
let staging: typeof Stagings;
let uploading: typeof Uploading;
beforeAll(async () => {
  // Read when the addon is loaded, in this test's own process.
  process.env.RISTRETTO_EMULATED_GPU = '1';
  native = await import('../../../lib/native/index.js');
  staging = await import('../../../lib/data/staging.js');
  uploading = await import('../../../lib/data/uploads.js');
  native.useDevice(0);
});
afterAll(() => native.useDevice(null));

const batch = (...images: number[][]) =>
  images.map((pixels, i) => ({
    record: {
      key: `${i}`,
      channels: 1,
      height: 1,
      width: pixels.length,
      layout: 'planar' as const,
      data: Uint8Array.from(pixels),
      label: 0,
      decoded: false,
    },
    crop: { top: 0, left: 0, mirror: false },
  }));

async function bytesOf(src: Native.NativeTensor, count: number): Promise<number[]> {
  const memory = new native.NativeMemory(count);
  const stream = new native.Stream();
  native.ops.copy(stream, { src, dst: new native.Tensor(memory, 0, 'u8', [count]) });
  await stream.sync();
  stream.close();
  return [...new Uint8Array(memory.arrayBuffer)];
}

it('brings batches of every size, and leaves the last one alone', async () => {
  const uploads = new uploading.Uploads();
  const [one, other] = [new staging.Staging(uploads), new staging.Staging(uploads)];
  const first = await one.fill(batch([1, 2], [3, 4]));
  const second = await other.fill(batch([5, 6], [7, 8]));
  expect(await bytesOf(first.src, 4)).toEqual([1, 2, 3, 4]);
  expect(await bytesOf(second.src, 4)).toEqual([5, 6, 7, 8]);
  const larger = await one.fill(batch([9, 10], [11, 12], [13, 14]));
  expect(await bytesOf(larger.src, 6)).toEqual([9, 10, 11, 12, 13, 14]);
  const smaller = await one.fill(batch([15]));
  expect(await bytesOf(smaller.src, 1)).toEqual([15]);
  uploads.close();
});

it('refuses to go on when it is closed', async () => {
  const uploads = new uploading.Uploads();
  const filled = new staging.Staging(uploads);
  await filled.fill(batch([1]));
  uploads.close();
  await expect(filled.fill(batch([2]))).rejects.toThrow('uploads are closed');
});

it('says where there is no room for a batch', async () => {
  const uploads = new uploading.Uploads();
  const full = new native.Device(0, { memoryLimit: 1 });
  const filled = new staging.Staging(uploads);
  await expect(native.onDevice(full, () => filled.fill(batch([1])))).rejects.toThrow('on GPU 0');
  uploads.close();
});

// What belongs to which of several GPUs, that the host executor plays.
import { beforeAll, describe, expect, it } from 'vitest';
import type * as Blobs from '../../../lib/blob/index.js';
import type * as Native from '../../../lib/native/index.js';

let native: typeof Native;
let blobs: typeof Blobs;
beforeAll(async () => {
  // Read when the addon is loaded, in this test's own process.
  process.env.RISTRETTO_EMULATED_GPU = '3';
  native = await import('../../../lib/native/index.js');
  blobs = await import('../../../lib/blob/index.js');
});

/** A GPU without room: where something is put there, the error says so. */
const full = (id: number) => new native.Device(id, { memoryLimit: 1 });
const pause = () => new Promise((done) => setTimeout(done, 1));

it('lists as many as there are', () => {
  expect(native.devices().devices.map(({ id }) => id)).toEqual([0, 1, 2]);
  expect(() => new native.Device(3)).toThrow('there is no GPU 3: this machine has 3');
});

it('makes memory and streams where it is told to', () => {
  expect(() => new native.NativeMemory(64, full(1))).toThrow('on GPU 1');
  expect(() => new native.NativeMemory(64, {} as Native.NativeDevice)).toThrow('device must be a Device');
  const second = new native.Device(1);
  const stream = new native.Stream({ device: second });
  expect([stream.onDevice, stream.device]).toEqual([true, second]);
  const here = new native.Stream({ device: second, isa: 'portable' });
  expect([here.onDevice, here.device]).toEqual([false, null]);
  [stream, here].forEach((made) => made.close());
});

describe('onDevice', () => {
  it('keeps work on its device behind awaits, whatever runs between them', async () => {
    const ids = [0, 1, 2];
    const seen = await Promise.all(
      ids.map((id) =>
        native.onDevice(new native.Device(id), async () => {
          const before = native.currentDevice()!.id;
          await pause();
          native.useDevice(null);
          await pause();
          return [before, native.currentDevice()!.id];
        }),
      ),
    );
    expect(seen).toEqual(ids.map((id) => [id, id]));
    expect(native.currentDevice()).toBeNull();
  });

  it('goes back to what was chosen before, also behind an error', () => {
    native.useDevice(1);
    expect(native.onDevice(null, () => native.currentDevice())).toBeNull();
    const failing = () =>
      native.onDevice(new native.Device(2), () => {
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(native.currentDevice()!.id).toBe(1);
    native.useDevice(null);
  });
});

it('gives a blob the memory of the device that it was made on, whenever that comes', () => {
  const blob = native.onDevice(full(2), () => new blobs.Blob('there', [4]));
  const here = new blobs.Blob('here', [4]);
  expect(() => blob.data).toThrow(/blob 'there'.*on GPU 2/);
  expect(() => native.onDevice(full(2), () => here.data)).not.toThrow();
});

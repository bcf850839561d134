import {
  currentDevice,
  NativeMemory,
  Tensor,
  type NativeBuffer,
  type NativeTensor,
} from '../native/index.js';
import { isTypedArray } from '../util/typed-array.js';
import { toPlanar, type DecodedRecord } from './record.js';
import type { Crop } from './transformer.js';
import type { Uploads } from './uploads.js';

const COLUMNS = 7;

/** A record placed in a batch. */
export interface PlacedRecord {
  record: DecodedRecord;
  crop: Crop;
}

/** A batch laid out for the transform, and a record that stands for all. */
export interface FilledBatch {
  src: NativeTensor;
  geometry: NativeTensor;
  first: DecodedRecord;
}

/**
 * Native memory that holds one batch of records side by side until the transform has read it. It grows to the
 * largest batch and is used again and again. With `uploads`, pixels for a GPU are laid out in pinned memory and brought
 * there; without, the GPU fetches them when it reads them.
 */
export class Staging {
  #pixels: NativeBuffer | null = null;
  /** The pixels on the GPU. */
  #uploaded: NativeBuffer | null = null;
  #geometry: NativeBuffer | null = null;

  constructor(private readonly uploads: Uploads | null) {}

  /** Copies the records in; resolves when they are where the transform reads them. */
  async fill(batch: readonly PlacedRecord[]): Promise<FilledBatch> {
    const head = batch[0].record;
    const alike = batch.every(
      ({ record }) =>
        record.layout === head.layout &&
        isTypedArray(record.data, Float32Array) === isTypedArray(head.data, Float32Array),
    );
    const records = batch.map(({ record }) => (alike ? record : toPlanar(record, Float32Array)));
    const [first] = records;
    const floats = isTypedArray(first.data, Float32Array);
    const total = records.reduce((sum, { data }) => sum + data.length, 0);
    const bytes = total * first.data.BYTES_PER_ELEMENT;
    if (!this.#pixels || this.#pixels.byteLength < bytes) {
      const device = this.uploads && currentDevice();
      this.#pixels = device ? new NativeMemory(bytes, device, true) : new NativeMemory(bytes);
      this.#uploaded = device && new NativeMemory(bytes, device);
    }
    const geometryBytes = 4 * COLUMNS * batch.length;
    if (!this.#geometry || this.#geometry.byteLength < geometryBytes)
      this.#geometry = new NativeMemory(geometryBytes);

    const values = floats
      ? new Float32Array(this.#pixels.arrayBuffer, 0, total)
      : new Uint8Array(this.#pixels.arrayBuffer, 0, total);
    const rows = new Int32Array(this.#geometry.arrayBuffer, 0, COLUMNS * batch.length);
    let offset = 0;
    for (const [i, { height, width, data }] of records.entries()) {
      const { top, left, mirror } = batch[i].crop;
      values.set(data, offset);
      rows.set(
        [offset & 0x7fffffff, Math.floor(offset / 2 ** 31), height, width, top, left, mirror ? 1 : 0],
        COLUMNS * i,
      );
      offset += data.length;
    }
    const tensor = (memory: NativeBuffer) => new Tensor(memory, 0, floats ? 'f32' : 'u8', [total]);
    const geometry = new Tensor(this.#geometry, 0, 'i32', [batch.length, COLUMNS]);
    if (!this.uploads || !this.#uploaded) return { src: tensor(this.#pixels), geometry, first };
    const src = tensor(this.#uploaded);
    await this.uploads.bring(tensor(this.#pixels), src);
    return { src, geometry, first };
  }
}

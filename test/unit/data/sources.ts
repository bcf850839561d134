// Makes databases, images and layers for the tests of lib/data, and runs a layer for some batches.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll } from 'vitest';
import { Blob } from '../../../lib/blob/index.js';
import { registry } from '../../../lib/data/index.js';
import type { RecordLayer } from '../../../lib/data/record-layer.js';
import type { LayerContext } from '../../../lib/graph/layer.js';
import { LmdbWriter, Stream } from '../../../lib/native/index.js';
import { create, encode, parseText, Phase } from '../../../lib/proto/index.js';

/** A folder that goes away with the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Pixels whose value tells their place: `seed` + 16 * y + 4 * x + channel. */
export function pixels(height: number, width: number, channels: number, seed = 0): Uint8Array {
  const values = new Uint8Array(height * width * channels);
  for (let i = 0; i < values.length; i++) {
    const [y, x, c] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels];
    values[i] = seed + 16 * y + 4 * x + c;
  }
  return values;
}

export function png(height: number, width: number, channels: 1 | 3 | 4, seed = 0): Promise<Buffer> {
  const image = sharp(pixels(height, width, channels, seed), { raw: { height, width, channels } });
  return (channels === 1 ? image.toColourspace('b-w') : image).png().toBuffer();
}

export function rawDatum(label: number, height = 3, width = 4, channels = 2): Uint8Array {
  const data = Uint8Array.from({ length: channels * height * width }, (_, i) => (10 * label + i) % 256);
  return encode(create('Datum', { channels, height, width, data, label }));
}

export function encodedDatum(data: Uint8Array, label: number): Uint8Array {
  return encode(create('Datum', { data, label, encoded: true }));
}

export async function writeLmdb(folder: string, records: readonly (readonly [string, Uint8Array])[]) {
  const writer = new LmdbWriter(folder);
  await writer.put(records);
  writer.close();
  return folder;
}

/** Raw records 0 .. count - 1, label = number, keys in eight digits. */
export function writeNumbered(folder: string, count: number): Promise<string> {
  const records = Array.from({ length: count }, (_, i) => [String(i).padStart(8, '0'), rawDatum(i)] as const);
  return writeLmdb(folder, records);
}

export interface Batch {
  data: Float32Array;
  labels: number[];
  shape: readonly number[];
}

export interface OpenLayer {
  layer: RecordLayer;
  next(): Promise<Batch>;
  close(): Promise<void>;
}

/** Sets up one data layer from a prototxt's text. */
export async function openLayer(
  prototxt: string,
  context: Partial<LayerContext> = {},
  threads = 1,
): Promise<OpenLayer> {
  const [param] = parseText('NetParameter', prototxt).layer;
  const layer = registry[param.type](param, { phase: Phase.TEST, seed: 1, ...context }) as RecordLayer;
  const top = param.top.map((name) => new Blob(name));
  const stream = new Stream({ threads });
  try {
    await layer.setup();
    layer.reshape([], top);
  } catch (error) {
    await layer.close();
    stream.close();
    throw error;
  }
  return {
    layer,
    async next() {
      await layer.forward([], top, stream);
      await stream.sync();
      return { data: top[0].toArray(), labels: [...(top[1]?.data ?? [])], shape: top[0].shape };
    },
    async close() {
      await layer.close();
      stream.close();
    },
  };
}

/** The error that a promise rejects with; an error of its own where it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('no error was raised');
}

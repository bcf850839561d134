import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { DataError } from '../errors/index.js';
import { decodeDatumBytes } from './datum.js';
import type { ColorMode } from './decode-image.js';
import { makeView, removeView } from './level-db-view.js';
import type { DecodedRecord, RecordSource } from './record.js';

type Bytes = Uint8Array;
type Database = ClassicLevel<Bytes, Bytes>;

interface Handle {
  database: Database;
  view: string;
}

interface Shared {
  handle: Promise<Handle>;
  users: number;
}

/** All layers of a process that read one database share its handle, and what it holds in memory. */
const open = new Map<string, Shared>();

/** What LevelDB left out of a damaged file when it opened: only its own log of messages tells. */
function whatWasDropped(view: string): string | null {
  const dropped = /(\d+\.log): dropping (\d+) bytes; (.*)/.exec(readFileSync(join(view, 'LOG'), 'utf8'));
  return dropped && `${dropped[1]} is damaged, ${dropped[2]} bytes of it cannot be read: ${dropped[3]}`;
}

async function openHandle(path: string): Promise<Handle> {
  const { ClassicLevel: Level } = await import('classic-level');
  const view = await makeView(path);
  try {
    const database = new Level<Bytes, Bytes>(view, {
      createIfMissing: false,
      keyEncoding: 'view',
      valueEncoding: 'view',
      // What Caffe left in the log becomes few tables.
      writeBufferSize: 32 * 2 ** 20,
    });
    await database.open();
    const dropped = whatWasDropped(view);
    if (dropped) {
      await database.close();
      throw new Error(dropped);
    }
    return { database, view };
  } catch (error) {
    await removeView(view);
    // The files that it names lie in the view, which is ours.
    const { message } = (error as { cause?: Error }).cause ?? (error as Error);
    throw new Error(message.replaceAll(view, path), { cause: error });
  }
}

async function acquire(path: string): Promise<Database> {
  let shared = open.get(path);
  if (!shared) open.set(path, (shared = { handle: openHandle(path), users: 0 }));
  shared.users++;
  try {
    return (await shared.handle).database;
  } catch (error) {
    if (open.get(path) === shared) open.delete(path);
    throw error;
  }
}

async function release(path: string): Promise<void> {
  const shared = open.get(path);
  if (!shared || --shared.users > 0) return;
  open.delete(path);
  const { database, view } = await shared.handle;
  await database.close();
  await removeView(view);
}

const CHUNK = 16;

/**
 * A LevelDB of Datums in key order. It cannot count its records without reading them all, so their number is
 * known when the first pass ends.
 */
export class LevelDbSource implements RecordSource {
  readonly identity: string;
  count: number | null = null;
  #iterator: ReturnType<Database['iterator']> | null = null;
  /** Index of the record that the iterator gives next. */
  #at = 0;
  #chunk: { first: number; entries: [Bytes, Bytes][] } = { first: 0, entries: [] };
  /** One read after the other: there is one iterator. */
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    readonly place: string,
    readonly mode: ColorMode,
    readonly layer: string | undefined,
    private readonly path: string,
    private readonly database: Database,
  ) {
    this.identity = `leveldb:${mode}:${path}`;
  }

  static async open(place: string, mode: ColorMode, layer?: string): Promise<LevelDbSource> {
    const path = realpathSync(place);
    try {
      return new LevelDbSource(place, mode, layer, path, await acquire(path));
    } catch (error) {
      throw new DataError(`cannot be opened as LevelDB: ${(error as Error).message}`, {
        file: place,
        layer,
        cause: error,
      });
    }
  }

  indexOf(ordinal: number): number {
    return this.count === null ? ordinal : ordinal % this.count;
  }

  async load(index: number): Promise<DecodedRecord | null> {
    const reading = this.#tail.then(() => this.#entry(index));
    this.#tail = reading.catch(() => undefined);
    let entry: [Bytes, Bytes] | null;
    try {
      entry = await reading;
    } catch (error) {
      throw new DataError(`cannot be read: ${(error as Error).message}`, {
        file: this.place,
        layer: this.layer,
        cause: error,
      });
    }
    if (!entry) {
      if (this.count === 0) throw new DataError('holds no records', { file: this.place, layer: this.layer });
      return null;
    }
    return decodeDatumBytes(entry[1], Buffer.from(entry[0]).toString(), this.mode, this.place);
  }

  async #entry(index: number): Promise<[Bytes, Bytes] | null> {
    for (;;) {
      const { first, entries } = this.#chunk;
      if (index >= first && index < first + entries.length) return entries[index - first];
      // Not `>=`: in an empty database an index is no number.
      if (this.count !== null && !(index < this.count)) return null;
      if (!this.#iterator || index < this.#at) {
        await this.#iterator?.close();
        this.#iterator = this.database.iterator();
        this.#at = 0;
      }
      const next = (await this.#iterator.nextv(CHUNK)) as [Bytes, Bytes][];
      this.#chunk = { first: this.#at, entries: next };
      this.#at += next.length;
      if (next.length === 0) this.count = this.#at;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#tail;
    await this.#iterator?.close();
    await release(this.path);
  }
}

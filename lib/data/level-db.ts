import { access, constants } from 'node:fs/promises';
import { realpathSync } from 'node:fs';
import type { ClassicLevel } from 'classic-level';
import { DataError } from '../errors/index.js';
import { decodeDatumBytes } from './datum.js';
import type { ColorMode } from './decode-image.js';
import type { DecodedRecord, RecordSource } from './record.js';

type Bytes = Uint8Array;
type Database = ClassicLevel<Bytes, Bytes>;

interface Shared {
  database: Promise<Database>;
  users: number;
}

/** LevelDB locks its folder, so all layers of a process that read one share its handle. */
const open = new Map<string, Shared>();

async function acquire(path: string): Promise<Database> {
  let shared = open.get(path);
  if (!shared) {
    const opening = import('classic-level').then(async ({ ClassicLevel: Level }) => {
      const database = new Level<Bytes, Bytes>(path, {
        createIfMissing: false,
        keyEncoding: 'view',
        valueEncoding: 'view',
      });
      await database.open();
      return database;
    });
    open.set(path, (shared = { database: opening, users: 0 }));
  }
  shared.users++;
  try {
    return await shared.database;
  } catch (error) {
    open.delete(path);
    throw error;
  }
}

async function release(path: string): Promise<void> {
  const shared = open.get(path);
  if (!shared || --shared.users > 0) return;
  open.delete(path);
  await (await shared.database).close();
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
      const cause = (error as { cause?: Error }).cause ?? (error as Error);
      const writable = await access(path, constants.W_OK).then(
        () => true,
        () => false,
      );
      const hint = writable ? '' : ' (LevelDB writes to the folder that it reads: copy it to a writable one)';
      throw new DataError(`cannot be opened as LevelDB: ${cause.message}${hint}`, {
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
      if (this.count !== null && index >= this.count) return null;
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

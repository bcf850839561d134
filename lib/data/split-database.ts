import { DataError, UsageError } from '../errors/index.js';
import {
  abortSignal,
  callback,
  checkOptions,
  oneOf,
  path,
  required,
  whole,
  type OptionKinds,
} from '../util/check-options.js';
import { refuseMeetings, withCallbacks } from '../util/index.js';
import { dataKindOf } from './database.js';
import { LmdbSource } from './lmdb.js';
import { assertNewDatabase, writeDatabases, type Backend, type DatabaseWriter } from './write-database.js';

/** Records that are written at once. */
const PUT_RECORDS = 256;

export interface SplitDatabaseOptions {
  /** The LMDB to split; it stays as it is. */
  data: string;
  /** Where the larger part goes, and the smaller one; nothing may be there yet. */
  first: string;
  second: string;
  /** Every so many records one goes to the second part, the last of each group; 2 makes halves. */
  every?: number;
  backend?: Backend;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

const optionKinds: OptionKinds<SplitDatabaseOptions> = {
  data: required(path),
  first: required(path),
  second: required(path),
  every: whole(2),
  backend: oneOf<Backend>('lmdb', 'leveldb'),
  signal: abortSignal,
  onProgress: callback,
};

/**
 * Deals the records of a database out to two: one to train on, one to measure on. Which record goes where follows
 * from its place alone, so splitting again gives the same parts. Returns the number of records in each.
 */
export async function splitDatabase(
  options: SplitDatabaseOptions,
): Promise<{ first: number; second: number }> {
  checkOptions('splitDatabase', options, optionKinds);
  return withCallbacks(options, split);
}

async function split(options: SplitDatabaseOptions): Promise<{ first: number; second: number }> {
  const { data, first, second, every = 2, backend = 'lmdb' } = options;
  if (dataKindOf(data) !== 'lmdb') throw new DataError('is not an LMDB', { file: data });
  refuseMeetings(
    [
      { path: first, what: 'the first part' },
      { path: second, what: 'the second part' },
    ],
    [{ path: data, what: 'the database', closed: true }],
  );
  for (const out of [first, second]) assertNewDatabase(out);
  const source = new LmdbSource(data, 'native');
  try {
    if (source.count < 2)
      throw new DataError(`has too few records to split: ${source.count}`, { file: data });
    if (source.count < every)
      throw new UsageError(`${data} has ${source.count} records: none is the ${every}th`, { field: 'every' });
    return await writeDatabases([first, second], backend, (writers) => deal(source, writers, every, options));
  } finally {
    source.close();
  }
}

async function deal(
  source: LmdbSource,
  writers: readonly DatabaseWriter[],
  every: number,
  { signal, onProgress }: SplitDatabaseOptions,
): Promise<{ first: number; second: number }> {
  const waiting: [string, Uint8Array][][] = [[], []];
  const counts = [0, 0];
  const flush = async (part: number) => {
    if (waiting[part].length) await writers[part].put(waiting[part]);
    waiting[part] = [];
  };
  for (let index = 0; index < source.count; index++) {
    signal?.throwIfAborted();
    const { key, value } = await source.read(index);
    const part = index % every === every - 1 ? 1 : 0;
    waiting[part].push([key, value]);
    counts[part]++;
    if (waiting[part].length === PUT_RECORDS) await flush(part);
    onProgress?.({ done: index + 1, total: source.count });
  }
  await flush(0);
  await flush(1);
  return { first: counts[0], second: counts[1] };
}

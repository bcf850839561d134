import { resolve } from 'node:path';
import { create, type DataParameter } from '../proto/index.js';
import { openDatabase } from './database.js';
import { openReplacement } from './replacement.js';
import { RecordLayer } from './record-layer.js';
import type { RecordSource } from './record.js';

/**
 * Data: records of a database (LMDB or LevelDB) in the order of their keys, round and round. Which of the two it
 * is, the files decide, whatever `backend` says.
 */
export class Data extends RecordLayer {
  readonly #data: DataParameter = this.param.data_param ?? create('DataParameter');

  protected override get batchSize(): number {
    return this.#data.batch_size;
  }
  protected override get randSkip(): number {
    return this.#data.rand_skip;
  }

  protected override async open(): Promise<RecordSource> {
    const { source, force_encoded_color } = this.#data;
    const mode = force_encoded_color ? 'color' : this.transformer.colorMode;
    const { dataSource, baseFolder } = this.context;
    if (dataSource !== undefined) return openReplacement(dataSource, this, mode);
    if (!source) this.fail('is not set', 'data_param.source');
    return openDatabase(resolve(baseFolder ?? '.', source), mode, this.name);
  }
}

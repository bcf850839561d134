import { splitDatabase } from '../../data/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { progressBar } from '../table.js';

export const splitDatabaseCommand = command({
  options: {
    every: {
      kind: 'integer',
      min: 2,
      default: 2,
      help: 'every so many records one goes to the second database; 2 makes halves',
    },
  },
  arguments: [
    { name: 'LMDB', reads: ['lmdb', 'lmdbFile'], help: 'the database to split; it stays as it is' },
    { name: 'FIRST', writes: true, help: 'the database of the other records; nothing may be there yet' },
    { name: 'SECOND', writes: true, help: 'the database of the records that --every picks' },
  ],
  async run({ values, positional, output, signal }) {
    const [data, first, second] = positional;
    const counts = await splitDatabase({
      data,
      first,
      second,
      every: values.every,
      signal,
      onProgress: ({ done, total }) =>
        output.status([`${progressBar(done, total, 30)} record ${done} of ${total}`]),
    });
    output.status([]);
    output.print(`${first}: ${counts.first} records\n${second}: ${counts.second} records`);
    if (values.json)
      writeFileAtomic(values.json, JSON.stringify({ data, first, second, counts }, null, 2) + '\n');
  },
});

import { glyphs, writeGlyphSets } from '../../data/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { netOptions } from '../options.js';
import { progressBar } from '../table.js';

export const drawImagesetCommand = command({
  options: {
    train: { kind: 'integer', min: 1, max: 1e6, default: 12000, help: 'images to train on' },
    test: { kind: 'integer', min: 1, max: 1e6, default: 2400, help: 'images to measure on' },
    seed: { ...netOptions.seed, help: 'seed of everything drawn' },
  },
  arguments: [
    { name: 'TRAIN_LMDB', writes: true, help: 'the database to train on; nothing may be there yet' },
    { name: 'TEST_LMDB', writes: true, help: 'the database to measure on' },
  ],
  async run({ values, positional, output, signal }) {
    const sets = [
      { set: 'train', out: positional[0], count: values.train },
      { set: 'test', out: positional[1], count: values.test },
    ];
    await writeGlyphSets(sets, {
      seed: values.seed,
      signal,
      onProgress: ({ done, total, set }) =>
        output.status([`${progressBar(done, total, 30)} ${set}: image ${done} of ${total}`]),
    });
    output.status([]);
    for (const { out, count } of sets) output.print(`${out}: ${count} images of ${glyphs.length} classes`);
    if (values.json) {
      const classes = glyphs.map(({ name }) => name);
      writeFileAtomic(values.json, JSON.stringify({ seed: values.seed, classes, sets }, null, 2) + '\n');
    }
  },
});

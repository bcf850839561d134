import { computeImageMean } from '../../data/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { formatG } from '../format-number.js';
import { linesOf } from '../original-lines.js';
import { layoutTable, progressBar } from '../table.js';

/** The original logs its progress after so many records. */
const LOG_INTERVAL = 10000;

export const computeImageMeanCommand = command({
  options: {
    backend: {
      kind: 'choice',
      choices: ['lmdb', 'leveldb'],
      default: 'lmdb',
      help: 'taken for compatibility: the files themselves say which of the two they are',
    },
  },
  arguments: [
    {
      name: 'INPUT_DB',
      reads: ['lmdb', 'levelDb', 'lmdbFile'],
      help: 'an LMDB or LevelDB of images of one size',
    },
    { name: 'OUTPUT_FILE', writes: true, help: 'the mean file (binaryproto) to write', optional: true },
  ],
  async run({ values, positional, output, signal }) {
    const [db, out] = positional;
    const log = (...rows: [number, string][]) =>
      linesOf('compute_image_mean.cpp', rows).forEach((row) => output.log(row));
    const { mean, channelMeans, count } = await computeImageMean({
      db,
      out,
      signal,
      onStart: () => log([70, 'Starting iteration']),
      onProgress({ done, total }) {
        if (done % LOG_INTERVAL === 0) log([95, `Processed ${done} files.`]);
        output.status([
          total === null ? `image ${done}` : `${progressBar(done, total, 30)} image ${done} of ${total}`,
        ]);
      },
    });
    output.status([]);
    if (count % LOG_INTERVAL !== 0) log([101, `Processed ${count} files.`]);
    if (out) log([108, `Write to ${out}`]);
    log([114, `Number of channels: ${mean.channels}`]);
    channelMeans.forEach((value, c) => log([119, `mean_value channel [${c}]: ${formatG(value)}`]));
    if (output.mode === 'terminal')
      output.print(
        layoutTable(
          ['channel', 'mean_value'],
          channelMeans.map((value, c) => [String(c), formatG(value)]),
          [0, 1],
        ) + `${count} images of ${mean.channels} x ${mean.height} x ${mean.width}${out ? `: ${out}` : ''}`,
      );
    if (values.json)
      writeFileAtomic(
        values.json,
        JSON.stringify(
          {
            count,
            channels: mean.channels,
            height: mean.height,
            width: mean.width,
            channelMeans,
            out: out ?? null,
          },
          null,
          2,
        ) + '\n',
      );
  },
});

import { Phase } from '../../proto/index.js';
import { score } from '../../quantize/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { chooseDevices } from '../device.js';
import { formatG } from '../format-number.js';
import { dataOptions, engineOptions, netOptions, stateOptions } from '../options.js';
import { batchLines, CAFFE_TEST_SITES, meanLines, runningLine } from '../original-lines.js';
import { roundingOf } from '../rounding.js';
import { stagesOf } from '../state.js';
import { formatSeconds, layoutTable, progressBar, skippedText } from '../table.js';

export const testCommand = command({
  options: {
    model: {
      kind: 'string',
      value: 'FILE',
      reads: ['net'],
      required: 'Need a model definition to score.',
      help: "the net's prototxt",
    },
    weights: {
      kind: 'string',
      value: 'FILE',
      reads: ['weights'],
      required: 'Need model weights to score.',
      help: 'the trained weights',
    },
    iterations: { kind: 'integer', min: 1, default: 50, help: 'batches' },
    ...dataOptions,
    ...stateOptions,
    ...engineOptions,
    ...netOptions,
  },
  async run({ values, output, signal }) {
    const devices = chooseDevices(values, output, { file: 'caffe.cpp', line: 275 });
    const started = Date.now();
    const result = await score({
      model: values.model,
      weights: values.weights,
      iterations: values.iterations,
      data: values.data,
      skipBad: values.skip_bad,
      allowMissing: values.allow_missing,
      devices,
      threads: values.threads,
      seed: values.seed,
      rounding: roundingOf(values.rounding),
      engine: values.engine,
      // As in the original, 'test' is always of the TEST phase.
      phase: Phase.TEST,
      level: values.level,
      stages: stagesOf(values.stage),
      signal,
      onStart: () => output.log(runningLine(CAFFE_TEST_SITES, values.iterations)),
      onBatch(batch, outputs, scores) {
        for (const line of batchLines(CAFFE_TEST_SITES, outputs, batch, scores.values)) output.log(line);
        const left = ((Date.now() - started) / 1000 / (batch + 1)) * (values.iterations - batch - 1);
        output.status([
          `${progressBar(batch + 1, values.iterations, 30)} batch ${batch + 1} of ${values.iterations}, ` +
            `${formatSeconds(left)} left`,
        ]);
      },
    });
    output.status([]);
    for (const line of meanLines(CAFFE_TEST_SITES, result)) output.log(line);
    if (result.skippedRecords > 0) output.warn(skippedText(result.skippedRecords));
    const names = result.outputs.flatMap(({ name, count }) =>
      Array.from({ length: count }, (_, k) => (count === 1 ? name : `${name}[${k}]`)),
    );
    if (output.mode === 'terminal')
      output.print(
        layoutTable(
          ['output', 'mean'],
          names.slice(0, 100).map((name, i) => [name, formatG(result.means[i])]),
          [1],
        ) +
          `loss ${formatG(result.loss)}, ${values.iterations} batches in ${formatSeconds(result.seconds)}\n`,
      );
    if (values.json)
      writeFileAtomic(
        values.json,
        JSON.stringify(
          {
            outputs: Object.fromEntries(names.map((name, i) => [name, result.means[i]])),
            loss: result.loss,
            iterations: values.iterations,
            skippedRecords: result.skippedRecords,
            seconds: result.seconds,
          },
          null,
          2,
        ) + '\n',
      );
  },
});

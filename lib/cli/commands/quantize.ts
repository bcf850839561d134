import { readTextFile, writeFileAtomic } from '../../util/index.js';
import { journalPath, parseIntegerLengths, quantize, type QuantizeResult } from '../../quantize/index.js';
import { command } from '../command.js';
import { chooseDevice } from '../device.js';
import { dataOptions, engineOptions, netOptions, trainDataOptions } from '../options.js';
import { summaryLines } from '../original-lines.js';
import { quantizeTables } from '../quantize-tables.js';
import { roundingOf } from '../rounding.js';
import { skippedText } from '../table.js';
import { SearchLog } from '../search-log.js';
import { SearchProgress } from '../search-progress.js';

/** What --json writes: everything but the net itself, which stands in its own file. */
export function quantizeJson({ net: _net, ...result }: QuantizeResult): string {
  return JSON.stringify(result, null, 2) + '\n';
}

export const quantizeCommand = command({
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
    model_quantized: {
      kind: 'string',
      value: 'FILE',
      writes: true,
      required: 'Need network description output path.',
      help: "the quantised net's prototxt, to be written",
    },
    trimming_mode: {
      kind: 'choice',
      choices: ['dynamic_fixed_point', 'minifloat', 'integer_power_of_2_weights'],
      required: 'Need trimming mode.',
      help: 'the number format',
    },
    iterations: { kind: 'integer', min: 1, default: 50, help: 'batches per score' },
    error_margin: { kind: 'number', default: 2, help: 'allowed loss of accuracy in %' },
    score: { kind: 'string', value: 'NAME', help: 'the output blob that is scored (the first by name)' },
    ...dataOptions,
    ...trainDataOptions,
    calibration_iterations: {
      kind: 'integer',
      min: 1,
      default: 10,
      help: 'TRAIN batches that ranges are taken from',
    },
    calibration_dropout: {
      kind: 'boolean',
      default: false,
      help: 'let dropout act in calibration, as the original does',
    },
    integer_lengths: {
      kind: 'string',
      value: 'FILE',
      reads: ['json'],
      help: 'JSON with the integer lengths to use instead of calibrating',
    },
    resume: { kind: 'boolean', default: false, help: 'continue a search that was stopped' },
    ...engineOptions,
    ...netOptions,
  },
  outputs({ values }) {
    const journal = journalPath(values.model_quantized);
    return journal === null ? [] : [{ path: journal, what: 'the journal of --model_quantized' }];
  },
  async run({ values, output, signal }) {
    chooseDevice(values, output, { file: 'quantization.cpp', line: 98 });
    const integerLengths = values.integer_lengths
      ? parseIntegerLengths(
          readTextFile(values.integer_lengths, { field: '--integer_lengths' }),
          values.integer_lengths,
        )
      : undefined;
    const log = new SearchLog((line) => output.log(line), {
      integerLengths: values.trimming_mode === 'dynamic_fixed_point',
      combined: values.trimming_mode !== 'minifloat',
    });
    const progress = new SearchProgress(output);
    const result = await quantize({
      model: values.model,
      weights: values.weights,
      modelQuantized: values.model_quantized,
      trimmingMode: values.trimming_mode,
      iterations: values.iterations,
      errorMargin: values.error_margin,
      score: values.score,
      data: values.data,
      trainData: values.train_data,
      skipBad: values.skip_bad,
      calibrationIterations: values.calibration_iterations,
      calibrationDropout: values.calibration_dropout,
      integerLengths,
      resume: values.resume,
      allowMissing: values.allow_missing,
      threads: values.threads,
      seed: values.seed,
      rounding: roundingOf(values.rounding),
      engine: values.engine,
      signal,
      onEvent(event) {
        if (event.kind === 'warning') output.warn(event.message);
        log.handle(event);
        progress.handle(event);
      },
    });
    progress.finish();
    log.finish();
    if (result.skippedRecords > 0) output.warn(skippedText(result.skippedRecords));
    for (const line of summaryLines(result)) output.log(line);
    if (values.json) writeFileAtomic(values.json, quantizeJson(result));
    if (output.mode === 'terminal') output.print(quantizeTables(result, values.model_quantized));
  },
});

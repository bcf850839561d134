import type { LayerIntegerLengths, NetScores, QuantizeResult } from '../quantize/index.js';
import { formatG } from './format-number.js';
import type { LogSite } from './glog.js';

/** One line of the original's log: the text, and the source line that it comes from there. */
export interface OriginalLine {
  site: LogSite;
  text: string;
}

/** Source lines of the scoring loop, which two of the original's files hold. */
interface ScoringSites {
  file: string;
  running: number;
  batch: number;
  loss: number;
  mean: number;
}

export const QUANTIZATION_SITES: ScoringSites = {
  file: 'quantization.cpp',
  running: 106,
  batch: 136,
  loss: 141,
  mean: 153,
};
export const CAFFE_TEST_SITES: ScoringSites = {
  file: 'caffe.cpp',
  running: 281,
  batch: 304,
  loss: 309,
  mean: 321,
};

/** Places the lines of one file. */
export function linesOf(file: string, rows: readonly (readonly [number, string])[]): OriginalLine[] {
  return rows.map(([line, text]) => ({ site: { file, line }, text }));
}

export function runningLine(sites: ScoringSites, iterations: number): OriginalLine {
  return { site: { file: sites.file, line: sites.running }, text: `Running for ${iterations} iterations.` };
}

/** The lines of one batch: every value of every output. */
export function batchLines(
  sites: ScoringSites,
  outputs: NetScores['outputs'],
  batch: number,
  values: Float32Array,
): OriginalLine[] {
  const lines: OriginalLine[] = [];
  let index = 0;
  for (const { name, count } of outputs)
    for (let k = 0; k < count && index < values.length; k++, index++)
      lines.push({
        site: { file: sites.file, line: sites.batch },
        text: `Batch ${batch}, ${name} = ${formatG(values[index])}`,
      });
  return lines;
}

/** The lines that end a scoring loop: the mean loss, and every output's mean. */
export function meanLines(sites: ScoringSites, scores: NetScores): OriginalLine[] {
  const rows: [number, string][] = [[sites.loss, `Loss: ${formatG(scores.loss)}`]];
  let index = 0;
  for (const { name, count, lossWeight } of scores.outputs)
    for (let k = 0; k < count; k++, index++) {
      const mean = scores.means[index];
      const weighted = lossWeight
        ? ` (* ${formatG(lossWeight)} = ${formatG(Math.fround(lossWeight * mean))} loss)`
        : '';
      rows.push([sites.mean, `${name} = ${formatG(mean)}${weighted}`]);
    }
  return linesOf(sites.file, rows);
}

/** The device lines of `quantize`, `test` and `time`. */
export function cpuLine(site: LogSite): OriginalLine {
  return { site, text: 'Use CPU.' };
}

export function gpuLines(site: LogSite, id: number, name: string): OriginalLine[] {
  return [
    { site, text: `Use GPU with device ID ${id}` },
    { site, text: `GPU device name: ${name}` },
  ];
}

/** The device lines of a command that runs on several GPUs. */
export function severalGpuLines(
  site: LogSite,
  gpus: readonly { id: number; name: string }[],
): OriginalLine[] {
  return [
    { site, text: `Using GPUs ${gpus.map(({ id }) => id).join(', ')}` },
    ...gpus.map(({ id, name }) => ({ site, text: `GPU ${id}: ${name}` })),
  ];
}

export function integerLengthLines(lengths: readonly LayerIntegerLengths[]): OriginalLine[] {
  return lengths.map(({ layer, input, output, parameters }) => ({
    site: { file: 'quantization.cpp', line: 170 },
    text:
      `Layer ${layer}, integer length input=${input}, integer length output=${output}, ` +
      `integer length parameters=${parameters}`,
  }));
}

type Rows = (readonly [number, string])[];

function ladderRows(line: number, scores: Readonly<Record<string, number>> | undefined): Rows {
  return Object.entries(scores ?? {})
    .sort(([a], [b]) => Number(b) - Number(a))
    .map(([bits, score]) => [line, `${bits}bit: \t${formatG(score)}`] as const);
}

const RULE = '------------------------------';
const FINE_TUNE = 'Please fine-tune.';

/** The summary that ends a search, per trimming mode. */
const summaries: Record<QuantizeResult['trimmingMode'], (result: QuantizeResult) => Rows> = {
  dynamic_fixed_point: (result) => [
    [276, RULE],
    [277, 'Network accuracy analysis for'],
    [278, 'Convolutional (CONV) and fully'],
    [279, 'connected (FC) layers.'],
    [280, `Baseline 32bit float: ${formatG(result.baseline)}`],
    [281, 'Dynamic fixed point CONV'],
    [282, 'weights: '],
    ...ladderRows(284, result.convWeights),
    [287, 'Dynamic fixed point FC'],
    [288, 'weights: '],
    ...ladderRows(290, result.fcWeights),
    [292, 'Dynamic fixed point layer'],
    [293, 'activations:'],
    ...ladderRows(295, result.activations),
    [298, 'Dynamic fixed point net:'],
    [299, `${result.chosen.convWeights}bit CONV weights,`],
    [300, `${result.chosen.fcWeights}bit FC weights,`],
    [301, `${result.chosen.activations}bit layer activations:`],
    [302, `Accuracy: ${formatG(result.combined)}`],
    [303, FINE_TUNE],
  ],
  minifloat: (result) => [
    [353, RULE],
    [354, 'Network accuracy analysis for'],
    [355, 'Convolutional (CONV) and fully'],
    [356, 'connected (FC) layers.'],
    [357, `Baseline 32bit float: ${formatG(result.baseline)}`],
    [358, 'Minifloat net:'],
    ...ladderRows(360, result.ladder),
    [362, FINE_TUNE],
  ],
  integer_power_of_2_weights: (result) => [
    [395, RULE],
    [396, 'Network accuracy analysis for'],
    [397, 'Integer-power-of-two weights'],
    [398, 'in Convolutional (CONV) and'],
    [399, 'fully connected (FC) layers.'],
    [400, `Baseline 32bit float: ${formatG(result.baseline)}`],
    [401, 'Quantized net:'],
    [402, `4bit: \t${formatG(result.combined)}`],
    [403, FINE_TUNE],
  ],
};

export function summaryLines(result: QuantizeResult): OriginalLine[] {
  return linesOf('quantization.cpp', summaries[result.trimmingMode](result));
}

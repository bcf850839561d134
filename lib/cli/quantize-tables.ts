import type { QuantizeResult } from '../quantize/index.js';
import { formatG } from './format-number.js';
import { formatBytes, formatSeconds, layoutTable } from './table.js';

type Layer = QuantizeResult['layers'][number];
type Format = Layer['formats']['input'];

/** Short enough for a column: fixed point as width.fraction. */
function formatName(format: Format): string {
  switch (format?.kind) {
    case 'dynamicFixedPoint':
      return `${format.bitWidth}.${format.fractionalLength}`;
    case 'minifloat':
      return `m${format.mantissaBits}e${format.exponentBits}`;
    case 'integerPowerOfTwo':
      return `2^${format.exponentMin}..${format.exponentMax}`;
    default:
      return 'float32';
  }
}

function saturation({ saturated, of }: { saturated: number; of: number }): string {
  if (of === 0) return '-';
  return saturated === 0 ? '0' : `${saturated} (${formatG((100 * saturated) / of, 2)} %)`;
}

function layerTable(result: QuantizeResult): string {
  const header = [
    'layer',
    '|in|',
    '|out|',
    '|w|',
    'in',
    'out',
    'weights',
    'sat. weights',
    'biases',
    'inputs',
    'outputs',
    'bytes',
  ];
  const rows = result.layers.map(({ layer, range, formats, saturation: counts, parameterBytes }) => [
    layer,
    range ? formatG(range.input, 4) : '-',
    range ? formatG(range.output, 4) : '-',
    range ? formatG(range.parameters, 4) : '-',
    formatName(formats.input),
    formatName(formats.output),
    formatName(formats.weights),
    saturation(counts.weights),
    saturation(counts.biases),
    saturation(counts.inputs),
    saturation(counts.outputs),
    `${parameterBytes.before} -> ${parameterBytes.after}`,
  ]);
  return layoutTable(header, rows, [1, 2, 3, 7, 8, 9, 10, 11]);
}

function ladderTable(result: QuantizeResult): string {
  const columns = [
    ['conv weights', result.convWeights],
    ['FC weights', result.fcWeights],
    ['activations', result.activations],
    ['net', result.ladder],
  ].filter((column): column is [string, Record<string, number>] => column[1] !== undefined);
  const widths = [...new Set(columns.flatMap(([, scores]) => Object.keys(scores).map(Number)))].sort(
    (a, b) => b - a,
  );
  const rows = widths.map((bits) => [
    `${bits} ${bits === 1 ? 'bit' : 'bits'}`,
    ...columns.map(([, scores]) => (bits in scores ? formatG(scores[bits]) : '')),
  ]);
  const header = ['', ...columns.map(([name]) => name)];
  return layoutTable(header, rows, header.map((_, column) => column).slice(1));
}

/** What `quantize` shows on a terminal when it has ended. */
export function quantizeTables(result: QuantizeResult, path: string): string {
  const { chosen } = result;
  const choice =
    chosen.bitWidth !== undefined
      ? `${chosen.bitWidth} bits`
      : `${chosen.convWeights} bit conv weights, ${chosen.fcWeights} bit FC weights, ${chosen.activations} bit activations`;
  const { before, after } = result.parameterBytes;
  return [
    '',
    layerTable(result),
    `Formats of fixed point are width.fraction. Scores are '${result.scoredOutput}'.`,
    '',
    `float net: ${formatG(result.baseline)}`,
    ladderTable(result),
    `chosen: ${choice}${result.exponentBits ? `, ${result.exponentBits} of them exponent` : ''}`,
    `score of the chosen net: ${formatG(result.combined)}, which is ${result.withinMargin ? '' : 'not '}within ` +
      `${formatG(result.errorMargin)} % of the float net's`,
    `parameters: ${formatBytes(before)} -> ${formatBytes(after)} (${formatG(before / Math.max(1, after), 3)} times smaller)`,
    `written: ${path} (${formatSeconds(result.seconds)}). Please fine-tune.`,
    '',
  ].join('\n');
}

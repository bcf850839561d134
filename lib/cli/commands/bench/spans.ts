import { benchSpan, type BenchOptions, type SpanTiming, type TrimFormat } from '../../../native/index.js';
import { describeFormat } from '../../../formats/index.js';
import type { Output } from '../../output.js';
import { layoutTable } from '../../table.js';

/** One trim or range analysis. */
export interface SpanRow extends SpanTiming {
  name: string;
  format: TrimFormat | null;
}

const formats = [
  { kind: 'dynamicFixedPoint', bitWidth: 8, fractionalLength: 4 },
  { kind: 'minifloat', mantissaBits: 3, exponentBits: 4 },
  { kind: 'integerPowerOfTwo', exponentMin: -8, exponentMax: -1 },
] as const satisfies readonly TrimFormat[];

const trims = formats.flatMap((format) =>
  (['halfAwayFromZero', 'halfToEven', 'stochastic'] as const).map((rounding) => ({
    name: `${describeFormat(format)}, ${rounding}`,
    range: false,
    format: { ...format, rounding } as TrimFormat,
  })),
);
const ranges = [
  { name: 'extremes', range: true, format: null },
  ...formats.map((format) => ({
    name: `extremes, saturated by ${describeFormat(format)}`,
    range: true,
    format: format as TrimFormat,
  })),
];

/** Every format's trims, or range analyses; prints a table. */
export async function benchSpans(
  op: 'trim' | 'range',
  megabytes: number,
  options: BenchOptions,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<SpanRow[]> {
  const rows: SpanRow[] = [];
  for (const { name, range, format } of op === 'trim' ? trims : ranges) {
    signal.throwIfAborted();
    output.status([`${op}: ${name}`]);
    const count = Math.max(1, Math.round((megabytes * 1e6) / 4));
    rows.push({ name, format, ...(await benchSpan({ range, format, count }, options)) });
  }
  output.status([]);
  const peer = op === 'trim' ? 'a copy' : 'a read';
  output.print(
    layoutTable(
      [op, 'ms', 'GB/s', `of ${peer}`, `${peer}, GB/s`],
      rows.map(({ name, seconds, bytes, peak }) => [
        name,
        (1000 * seconds).toFixed(3),
        (bytes / seconds / 1e9).toFixed(1),
        `${((100 * bytes) / seconds / peak).toFixed(0)} %`,
        (peak / 1e9).toFixed(1),
      ]),
      [1, 2, 3, 4],
    ),
  );
  return rows;
}

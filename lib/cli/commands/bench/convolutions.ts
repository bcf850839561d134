import { benchConvolutionFixed, type BenchOptions, type ConvolutionTiming } from '../../../native/index.js';
import type { Output } from '../../output.js';
import { formatCount, layoutTable, progressBar } from '../../table.js';
import { multiplications, readShapes } from './shapes.js';

/** One kernel on one problem. */
export interface ConvolutionRow extends ConvolutionTiming {
  shapes: string;
  layer: string;
}

interface Totals {
  seconds: number;
  operations: number;
  /** Seconds that the layers would take at the instruction's peak. */
  least: number;
  layers: number;
}

const rate = (operations: number, seconds: number) => (operations / seconds / 1e9).toFixed(1);
const share = (part: number) => `${(100 * part).toFixed(0)} %`;

/** Sums over a net's layers, by kernel. */
function totalsOf(rows: readonly ConvolutionRow[]): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  for (const { kernel, seconds, operations, peak } of rows) {
    const sum = totals.get(kernel) ?? { seconds: 0, operations: 0, least: 0, layers: 0 };
    sum.seconds += seconds;
    sum.operations += operations;
    sum.least += peak === null ? NaN : operations / peak;
    sum.layers++;
    totals.set(kernel, sum);
  }
  return totals;
}

function printNet(output: Output, net: string, rows: readonly ConvolutionRow[], layers: number): void {
  const cells = rows.map((row) => [
    row.layer,
    formatCount(row.operations / 2),
    row.kernel,
    (1000 * row.seconds).toFixed(3),
    rate(row.operations, row.seconds),
    row.peak === null ? '' : share(row.operations / row.seconds / row.peak),
    row.instruction ?? '',
  ]);
  const sums = [...totalsOf(rows)].map(([kernel, sum]) => [
    sum.layers === layers ? 'all' : `${sum.layers} of ${layers}`,
    formatCount(sum.operations / 2),
    kernel,
    (1000 * sum.seconds).toFixed(3),
    rate(sum.operations, sum.seconds),
    Number.isNaN(sum.least) ? '' : share(sum.least / sum.seconds),
    '',
  ]);
  output.print(
    `${net}\n` +
      layoutTable(
        ['layer', 'MACs', 'kernel', 'ms', 'GOP/s', 'of peak', 'peak measured with'],
        [...cells, ...sums],
        [1, 3, 4, 5],
      ),
  );
}

/** Every kernel on every layer of each net, layer by layer; prints a table a net. */
export async function benchConvolutions(
  nets: readonly string[],
  problem: { images: number; bits: 8 | 16 },
  options: BenchOptions,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<ConvolutionRow[]> {
  const problems = nets.map((net) => ({ net, shapes: readShapes(net) }));
  const all: ConvolutionRow[] = [];
  for (const { net, shapes } of problems) {
    const rows: ConvolutionRow[] = [];
    for (const [i, { name, ...shape }] of shapes.entries()) {
      signal.throwIfAborted();
      output.status([
        `${progressBar(i, shapes.length, 30)} ${net}: ${name}, ${formatCount(multiplications({ name, ...shape }))} multiply-accumulates an image`,
      ]);
      const timings = await benchConvolutionFixed({ ...shape, ...problem }, options);
      rows.push(...timings.map((timing) => ({ shapes: net, layer: name, ...timing })));
    }
    output.status([]);
    printNet(output, net, rows, shapes.length);
    all.push(...rows);
  }
  return all;
}

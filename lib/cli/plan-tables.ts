import type { CodesRow, PlanDescription, PlanRow } from '../engine/index.js';
import { formatBytes, formatCount, layoutTable } from './table.js';

/** 8.3: eight bits, three of them behind the point. */
function formatText(format: PlanRow['input']): string {
  return format ? `${format.bitWidth}.${format.fractionalLength}` : '';
}

function codesText(codes: CodesRow | null): string {
  if (!codes) return '';
  const { shape, type, halo, slice, byteOffset } = codes;
  return (
    `${shape.join('x')} ${type}` +
    (slice ? ` of ${slice.of} from ${slice.first}` : '') +
    (halo[0] + halo[1] > 0 ? ` halo ${halo[0] === halo[1] ? halo[0] : halo.join('x')}` : '') +
    ` @${byteOffset}`
  );
}

function countText(count: number): string {
  return count === 0 ? '' : formatCount(count);
}

/** What `plan` prints: a row per step, and what is behind it in sum. */
export function planTables(plan: PlanDescription): string {
  const rows = plan.rows.map((row) => [
    row.layers.join(' + '),
    row.float === null ? row.kernel : `float: ${row.float}`,
    formatText(row.input),
    formatText(row.weights),
    formatText(row.output),
    formatText(row.consumer),
    [row.shift, row.consumerShift].filter((shift) => shift !== null).join(', '),
    row.bound ? `${row.bound.sumBits}, ${row.bound.accBits}` : '',
    row.weightBytes ? formatBytes(row.weightBytes) : '',
    countText(row.macs),
    codesText(row.dst),
  ]);
  const header = [
    'layers',
    'kernel',
    'in',
    'weights',
    'out',
    'reader',
    'shift',
    'bits',
    'parameters',
    'MACs',
    'codes, C x H x W',
  ];
  return [
    layoutTable(header, rows, [2, 3, 4, 5, 6, 7, 8, 9]),
    'Formats are bits.fraction; a reader of another format makes a second requantisation. bits: of the largest sum,',
    'and of sum, bias and rounding together. Codes @ their byte in the arena; MACs of one image.',
    '',
    `${plan.integerLayers} layers on integer codes, ${plan.floatLayers} in float32`,
    `parameters ${formatBytes(plan.weightBytes)}, ${formatCount(plan.macs)} multiply-accumulates an image`,
    `batch ${plan.batch}` +
      (plan.part < plan.batch ? ` in parts of ${plan.part}` : '') +
      `, peak memory of codes ${formatBytes(plan.arenaBytes)}`,
    '',
  ].join('\n');
}

/** Lays out rows of cells in columns; numbers are best given as text already. `right`: columns set flush right. */
export function layoutTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) =>
        right.includes(column) ? (row[column] ?? '').padStart(width) : (row[column] ?? '').padEnd(width),
      )
      .join('  ')
      .trimEnd();
  return (
    [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n') + '\n'
  );
}

/** `[#####-----]` */
export function progressBar(done: number, of: number, width: number): string {
  const filled = of > 0 ? Math.round((Math.min(done, of) / of) * width) : 0;
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`;
}

export { formatBytes, formatCount } from '../util/decimal-text.js';

/** 83.4 -> '1 min 23 s' */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How many records data layers left out, over all passes. */
export function skippedText(count: number): string {
  return `${count} ${count === 1 ? 'record' : 'records'} could not be read and ${count === 1 ? 'was' : 'were'} skipped`;
}

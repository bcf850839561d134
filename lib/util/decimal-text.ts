/** A number with three digits and the first of `units`, each 1000 times the one before, that holds it. */
function decimalText(value: number, units: readonly string[]): string {
  let unit = 0;
  // What rounds to 1000 belongs to the next unit: 999.7 K is 1.00 M.
  while (unit < units.length - 1 && Number(value.toPrecision(3)) >= 1000) {
    value /= 1000;
    unit++;
  }
  const text = unit === 0 ? String(value) : value < 999.5 ? value.toPrecision(3) : value.toFixed(0);
  return units[unit] ? `${text} ${units[unit]}` : text;
}

const counts = ['', 'K', 'M', 'G', 'T', 'P', 'E'];
const bytes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** A count for people: 1065369600 is '1.07 G', 512 is '512'. */
export function formatCount(count: number): string {
  return decimalText(count, counts);
}

/** A number of bytes for people: 4990408 is '4.99 MB' (1 MB is 10^6 bytes). */
export function formatBytes(count: number): string {
  return decimalText(count, bytes);
}

const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** A number of bytes for people: 1536 is '1.5 KB' (1 KB is 1024 bytes). */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

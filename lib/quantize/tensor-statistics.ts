/** Largest magnitude; NaN where there is one. */
export function maxAbs(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (!(magnitude <= largest)) largest = magnitude;
    if (largest !== largest) return NaN;
  }
  return largest;
}

/** Number of values below `low` or above `high`. */
export function countOutside(values: Float32Array, low: number, high: number): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] < low || values[i] > high) count++;
  return count;
}

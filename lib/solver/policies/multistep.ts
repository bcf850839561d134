/**
 * Steps passed at an iteration. The original takes the values in the order given, one an iteration at most, so
 * that a value smaller than the one before it counts an iteration later.
 */
export function multistepCount(stepvalues: readonly number[], iteration: number): number {
  let passed = -1;
  for (const [count, value] of stepvalues.entries()) {
    passed = Math.max(passed + 1, value);
    if (passed > iteration) return count;
  }
  return stepvalues.length;
}

/** The first of the names, separated by commas, and the number of the others. */
export function someOf(names: readonly (string | number)[], most = 5): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

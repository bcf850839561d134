/**
 * Runs `work` with options whose callbacks may be asynchronous: what one of them rejects with ends the work at its next
 * callback, or is what `work` rejects with at its end. Without this, Node would end the process.
 */
export async function withCallbacks<Options extends object, Result>(
  options: Options,
  work: (options: Options) => Promise<Result>,
): Promise<Result> {
  let failure: { reason: unknown } | null = null;
  const pending = new Set<Promise<unknown>>();
  const refuse = () => {
    if (failure) throw failure.reason;
  };
  const watched =
    (callback: (...given: unknown[]) => unknown) =>
    (...given: unknown[]) => {
      refuse();
      const settled = Promise.resolve(callback(...given))
        .catch((reason: unknown) => void (failure ??= { reason }))
        .finally(() => pending.delete(settled));
      pending.add(settled);
    };
  const all = Object.entries(options).map(([name, value]) => [
    name,
    typeof value === 'function' ? watched(value as (...given: unknown[]) => unknown) : (value as unknown),
  ]);
  const result = await work(Object.fromEntries(all) as Options);
  await Promise.all(pending);
  refuse();
  return result;
}

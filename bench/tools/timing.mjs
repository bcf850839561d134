// Interleaved timing: the contestants take turns in one process, so that the machine's drift hits all alike.
import os from 'node:os';

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/**
 * Runs every contestant once per round after one warm-up each, and returns each one's seconds per round.
 * @param {Record<string, () => Promise<void>>} contestants
 * @returns {Promise<Record<string, number[]>>}
 */
export async function interleave(contestants, rounds) {
  const seconds = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (const run of Object.values(contestants)) await run();
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(contestants)) {
      const start = process.hrtime.bigint();
      await run();
      seconds[name].push(Number(process.hrtime.bigint() - start) / 1e9);
    }
  return seconds;
}

/**
 * Our engine against its peer where there is one: times every contestant's `run`, prints and returns the row of one
 * number of threads and one batch size. A turn is `images` images, or one batch where that is more.
 */
export async function race(contestants, { threads, batch, images, rounds }) {
  const repeat = Math.max(1, Math.round(images / batch));
  const turns = Object.entries(contestants).map(([name, { run }]) => [
    name,
    async () => {
      for (let i = 0; i < repeat; i++) await run();
    },
  ]);
  const seconds = await interleave(Object.fromEntries(turns), rounds);
  const rate = (name) => (batch * repeat) / median(seconds[name]);
  const row = { threads, batch, ristretto: rate('ristretto') };
  if (contestants.onnxruntime) {
    row.onnxruntime = rate('onnxruntime');
    row.ratio = median(seconds.onnxruntime.map((peer, i) => peer / seconds.ristretto[i]));
  }
  const text = Object.entries(row).map(
    ([key, value]) => `${key} ${Number.isInteger(value) ? value : value.toFixed(2)}`,
  );
  console.log(text.join('  '));
  return row;
}

export const machine = () =>
  `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, Node ${process.version}`;

// workers.mjs COUNT SEED: starts COUNT workers, each with some endless work, and terminates each at a random moment, or
// lets it exit with everything left open. Ends with 'right' where the numbers are the same afterwards.
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { endless, makeData, randomFrom, referenceOutputs, removeData } from './work.mjs';

if (isMainThread) {
  const [, , count, seed] = process.argv;
  const random = randomFrom(Number(seed));
  const data = await makeData();
  const before = await referenceOutputs();
  let started = 0;
  const kinds = Object.keys(endless);
  const lane = async () => {
    while (started < Number(count)) {
      const kind = kinds[started++ % kinds.length];
      // Most of a worker's short life is loading: half of the moments lie behind it.
      const moment = random() < 0.5 ? random() * 150 : 150 + random() * 250;
      const exits = random() < 0.2 ? moment : null;
      const worker = new Worker(new URL(import.meta.url), { workerData: { kind, data, exits } });
      worker.on('error', (error) => {
        console.log(`${kind}: ${error.stack}`);
        process.exitCode = 1;
      });
      const ended = new Promise((done) => worker.on('exit', done));
      if (exits === null) setTimeout(() => void worker.terminate(), moment);
      await ended;
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  const after = await referenceOutputs();
  removeData(data);
  console.log(JSON.stringify(before) === JSON.stringify(after) ? 'right' : 'other numbers');
} else {
  const { kind, data, exits } = workerData;
  if (exits !== null) setTimeout(() => process.exit(0), exits);
  await endless[kind](data);
}

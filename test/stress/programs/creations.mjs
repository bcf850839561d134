// creations.mjs ENGINE COUNT: makes a net, runs it, closes it, COUNT times. Prints resident megabytes, 20 times.
import { makeNet, pass } from './work.mjs';

const [, , engine, count] = process.argv;
const resident = [];
for (let i = 1; i <= Number(count); i++) {
  const net = await makeNet(engine);
  await pass(net);
  await pass(net);
  await net.close();
  if (i % (Number(count) / 20) !== 0) continue;
  globalThis.gc();
  resident.push(process.memoryUsage().rss / 2 ** 20);
}
console.log(JSON.stringify(resident));

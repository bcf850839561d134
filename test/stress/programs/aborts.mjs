// aborts.mjs COUNT SEED: starts COUNT pieces of work and aborts each at a random moment. Ends with 'right' where each
// one stopped with an AbortError, and the numbers are the same afterwards.
import {
  endless,
  engines,
  makeData,
  makeNet,
  pass,
  randomFrom,
  referenceOutputs,
  removeData,
} from './work.mjs';

const [, , count, seed] = process.argv;
const random = randomFrom(Number(seed));
const data = await makeData();
const before = await referenceOutputs();
const faults = [];

const aborted = async (what, moment, work) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), moment);
  try {
    await work({ signal: controller.signal });
  } catch (error) {
    if (error.name !== 'AbortError') faults.push(`${what}: ${error.stack}`);
  } finally {
    clearTimeout(timer);
  }
};

// Nets that live through many aborts: each pass after one computes the same numbers as before.
const nets = {};
for (const engine of Object.keys(engines)) nets[engine] = await makeNet(engine);
const kinds = [...Object.keys(nets), ...Object.keys(endless).filter((kind) => kind !== 'leftOpen')];
for (let i = 0; i < Number(count); i++) {
  const kind = kinds[i % kinds.length];
  const net = nets[kind];
  if (!net) {
    await aborted(kind, random() * 60, (options) => endless[kind](data, options));
    continue;
  }
  await aborted(kind, random() * 3, (options) => pass(net, options));
  const outputs = [...(await pass(net))].join();
  if (outputs !== before[kind]) faults.push(`${kind}: other numbers after abort ${i}`);
}
for (const net of Object.values(nets)) await net.close();

const after = await referenceOutputs();
if (JSON.stringify(before) !== JSON.stringify(after)) faults.push('other numbers in new nets');
removeData(data);
console.log(faults.length === 0 ? 'right' : faults.slice(0, 5).join('\n'));

// calls.mjs COUNT: calls a synchronous kernel COUNT times without a turn of the event loop. Prints resident megabytes
// before and after.
import { kernels } from '../../../dist/index.js';

const [, , count] = process.argv;
const values = new Float32Array(10_000).fill(0.3);
const call = () => kernels.rangeSync(values);
for (let i = 0; i < 500; i++) call();
const before = process.memoryUsage().rss / 2 ** 20;
for (let i = 0; i < Number(count); i++) call();
console.log(JSON.stringify([before, process.memoryUsage().rss / 2 ** 20]));

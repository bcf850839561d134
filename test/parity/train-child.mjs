// A process of its own that trains: `node train-child.mjs {"solver", "baseFolder", "prefix", "threads", "resume"}`.
// Writes a line of JSON for every event.
import { readSolver, registry, Solver } from '../../dist/index.js';

const { solver: path, baseFolder, prefix, threads, resume } = JSON.parse(process.argv[2]);
const param = readSolver(path);
param.snapshot_prefix = prefix;
const solver = await Solver.create({
  param,
  registry,
  baseFolder,
  threads,
  resume,
  onEvent: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
});
await solver.solve();
await solver.close();

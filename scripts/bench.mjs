// npm run bench -- NAME [options]: sets up what is missing, then runs bench/NAME.mjs.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, setup } from './setup.mjs';

const [name, ...options] = process.argv.slice(2);
const known = readdirSync(join(root, 'bench'))
  .filter((f) => f.endsWith('.mjs'))
  .map((f) => f.slice(0, -4));
if (!known.includes(name)) {
  console.error(`usage: npm run bench -- NAME [options]; NAME is one of ${known.join(', ')}`);
  process.exit(2);
}
setup();
run(process.execPath, [join(root, 'bench', `${name}.mjs`), ...options]);

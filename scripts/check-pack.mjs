// Proves the tarball: packs, installs it into an empty folder without running any install script (the prebuilt
// binary must be found), and uses both the library and the command line from there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const folder = mkdtempSync(join(tmpdir(), 'ristretto-pack-'));
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
try {
  execFileSync('npm', ['pack', '--pack-destination', folder], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(folder).find((f) => f.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{"name": "empty", "private": true, "type": "module"}');
  run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, tarball));
  writeFileSync(
    join(folder, 'use.mjs'),
    `import { Net, Stream, parseText, registry } from 'ristretto';
     const param = parseText('NetParameter', \`name: "n"
       layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 1 dim: 1 dim: 4 } } }
       layer { name: "relu" type: "ReLU" bottom: "x" top: "y" }\`);
     const stream = new Stream({ threads: 1 });
     const net = await Net.create({ param, phase: 1, registry, stream, keep: 'all' });
     net.blob('x').set([-1, 2, -3, 4]);
     await net.forward();
     console.log([...net.blob('y').data].join(' '));
     stream.close();`,
  );
  const printed = run(process.execPath, 'use.mjs').trim();
  if (printed !== '0 2 0 4') throw new Error(`the installed library printed '${printed}'`);
  const version = run('npx', '--no-install', 'ristretto', '--version').trim();
  console.log(`${tarball} installs and runs in an empty folder: ristretto ${version}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

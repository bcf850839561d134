// npm run bundle [-- --out FILE] [--level 9e] [--built]: the command line as one archive that runs without Node or
// npm: Node itself, the compiled package and the parts of its dependencies that this platform needs at run time.
//   tar xf ristretto-….tar.xz && ristretto-…/caffe device_query
// --built takes what is built as it is; --level is xz's.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root, setup } from './setup.mjs';

const LIMIT = 35e6;
/** Needed to build addons, not to run them. */
const BUILD_ONLY = new Set(['cmake-js', 'node-addon-api', 'node-api-headers', 'napi-macros']);
/** Of a package: what runs, and what its licence asks to be kept. */
const RUNS = /(\.(js|cjs|mjs|json|node|wasm)|\.so(\.[\d.]+)?|\.dylib)$/;
const LICENCE = /^(licen[cs]e|copying|notice|copyright|third-party)/i;
/** Folders that hold sources, tests or builds for other ways to load the package. */
const LEFT_OUT = /(^|\/)(test|tests|deps|\.github)\/|^h5wasm\/dist\/(esm|iife)\/|^buffer\/bin\//;

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    level: { type: 'string', default: '9e' },
    built: { type: 'boolean', default: false },
  },
});
if (!/^[0-9]e?$/.test(options.level)) {
  console.error(`--level: '${options.level}' is no preset of xz`);
  process.exit(2);
}
if (process.platform === 'win32') {
  console.error('bundle: there is no bundle for this platform');
  process.exit(1);
}

/** Runs a tool that must be there. */
function tool(command, args, spawn = {}) {
  const { error, status } = spawnSync(command, args, { stdio: 'inherit', ...spawn });
  if (!error && status === 0) return;
  throw new Error(`${command}: ${error ? error.message : `exit code ${status}`}`);
}

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** All files below a folder, as paths from it. Links into shared folders are followed. */
function files(folder, under = '') {
  return readdirSync(join(folder, under))
    .sort()
    .flatMap((name) => {
      const path = join(under, name);
      return statSync(join(folder, path)).isDirectory() ? files(folder, path) : [path];
    });
}

/** The folder of a package as `from` would find it; null where it is not installed (another platform's). */
function packageFolder(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (basename(folder) !== 'node_modules' && existsSync(join(found, 'package.json'))) return found;
    if (folder === dirname(folder)) return null;
  }
}

/** Folders of the packages that the command line may import, each below the package's own node_modules. */
function runtimePackages() {
  const found = new Set();
  const visit = (folder) => {
    const { dependencies, optionalDependencies } = readJson(join(folder, 'package.json'));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const dependency = BUILD_ONLY.has(name) ? null : packageFolder(name, folder);
      if (!dependency || found.has(dependency)) continue;
      found.add(dependency);
      visit(dependency);
    }
  };
  visit(root);
  return [...found].sort();
}

/** Whether a file that lies in prebuilds/ is for another platform or another C library. */
function foreign(path) {
  const [, platform, name] = /(?:^|\/)prebuilds\/([^/]+)\/(.*)/.exec(path) ?? [];
  if (!platform) return false;
  const [system, architectures] = [platform.slice(0, platform.indexOf('-')), platform.split(/[-+]/).slice(1)];
  if (system !== process.platform || !architectures.includes(process.arch)) return true;
  const musl = existsSync('/etc/alpine-release');
  return /\bmusl\b/.test(name) ? !musl : musl && process.platform === 'linux' && /\bglibc\b/.test(name);
}

const LAUNCHER = (program) => `#!/bin/sh
# Runs with no tool but the shell, unless it is called through a link.
here=$0
if [ -h "$here" ]; then here=$(readlink -f "$here"); fi
case $here in */*) here=\${here%/*} ;; *) here=. ;; esac
exec "$here/runtime/node" "$here/bin/${program}.mjs" "$@"
`;

/** Puts everything into `folder`. */
function collect(folder) {
  const put = (from, to) => {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(from, join(folder, to));
  };
  const manifest = readJson(join(root, 'package.json'));
  const { name, version, description, license, type, main, exports, bin } = manifest;
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, version, description, license, type, main, exports, bin }, null, 2) + '\n',
  );
  for (const file of ['LICENSE', 'README.md']) put(join(root, file), file);
  for (const part of ['bin', 'dist', 'bench/shapes'])
    for (const file of files(join(root, part)))
      if (!/\.(map|d\.ts)$/.test(file)) put(join(root, part, file), join(part, file));
  for (const file of files(join(root, 'models')))
    if (/\.prototxt$/.test(file) && !/quantized/.test(file))
      put(join(root, 'models', file), join('models', file));

  for (const source of runtimePackages()) {
    const target = source.slice(source.indexOf('node_modules'));
    const packageName = target.slice('node_modules/'.length);
    for (const file of files(source)) {
      if (file.startsWith('node_modules/') || foreign(file)) continue;
      if (!(RUNS.test(file) || LICENCE.test(basename(file)))) continue;
      if (LEFT_OUT.test(`${packageName}/${file}`)) continue;
      put(join(source, file), join(target, file));
    }
  }

  put(join(root, 'build/Release/ristretto.node'), 'build/Release/ristretto.node');
  put(process.execPath, 'runtime/node');
  const strip = process.platform === 'linux' ? ['--strip-unneeded'] : ['-x'];
  for (const binary of ['build/Release/ristretto.node', 'runtime/node']) {
    chmodSync(join(folder, binary), 0o755);
    tool('strip', [...strip, join(folder, binary)]);
  }
  const prefix = dirname(dirname(process.execPath));
  const licence = [join(prefix, 'LICENSE'), join(prefix, 'share/doc/nodejs/copyright')].find(existsSync);
  if (licence) put(licence, 'runtime/LICENSE');

  for (const program of Object.keys(bin)) {
    writeFileSync(join(folder, program), LAUNCHER(program));
    chmodSync(join(folder, program), 0o755);
  }
}

/** Bytes by where they lie: the folder at the top, of node_modules the package. */
function contents(folder) {
  const sums = new Map();
  for (const file of files(folder)) {
    const parts = file.split('/');
    const depth = parts[0] === 'node_modules' ? (parts[1].startsWith('@') ? 3 : 2) : 1;
    const place = parts.length > 1 ? parts.slice(0, depth).join('/') : '.';
    sums.set(place, (sums.get(place) ?? 0) + statSync(join(folder, file)).size);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

if (!options.built) setup();
const { version } = readJson(join(root, 'package.json'));
const title = `ristretto-${version}-${process.platform}-${process.arch}`;
const out = resolve(options.out ?? join(root, `${title}.tar.xz`));
const work = mkdtempSync(join(dirname(out), '.bundle-'));
try {
  mkdirSync(join(work, title));
  collect(join(work, title));
  const archive = join(work, 'archive.tar');
  tool('tar', ['-C', work, '-cf', archive, title]);
  tool('xz', [`-${options.level}`, archive]);
  const finished = `${archive}.xz`;
  const descriptor = openSync(finished, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
  const { size } = statSync(finished);
  for (const [place, bytes] of contents(join(work, title)))
    console.log(`${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${place}`);
  // Quick presets are for trying it out.
  if (options.level.startsWith('9') && size > LIMIT)
    throw new Error(`the bundle takes ${size} bytes, more than ${LIMIT}`);
  renameSync(finished, out);
  console.log(`${relative(process.cwd(), out) || out}: ${(size / 1e6).toFixed(2)} MB`);
} catch (error) {
  console.error(`bundle: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

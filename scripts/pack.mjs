// Before `npm pack`: compiles dist/, copies LMDB's C sources (not in this repository) and puts the binary of
// this platform into prebuilds/, where node-gyp-build finds it even if no install script runs.
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, setup } from './setup.mjs';

setup();
const lmdb = join(root, 'node_modules/node-lmdb/dependencies/lmdb/libraries/liblmdb');
mkdirSync(join(root, 'third_party/lmdb'), { recursive: true });
for (const file of ['mdb.c', 'midl.c', 'midl.h', 'lmdb.h', 'LICENSE', 'COPYRIGHT'])
  copyFileSync(join(lmdb, file), join(root, 'third_party/lmdb', file));

const target = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
mkdirSync(target, { recursive: true });
const libc = process.platform === 'linux' && existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
const name = process.platform === 'linux' ? `ristretto.${libc}.node` : 'ristretto.node';
cpSync(join(root, 'build/Release/ristretto.node'), join(target, name));
if (process.platform === 'linux') run('strip', ['--strip-unneeded', join(target, name)]);

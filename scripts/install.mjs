// The package's install step: use a binary that loads, else build one from source, else say what to install.
//
// Not `node-gyp-build "cmake-js compile"`: that runs node-gyp afterwards and would replace the result.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cmakeJs, runQuietly } from './cmake-js.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function loads() {
  // In a process of its own: a binary loaded here could not be replaced afterwards.
  const probe = `require('node-gyp-build')(${JSON.stringify(root)})`;
  return spawnSync(process.execPath, ['-e', probe], { cwd: root, stdio: 'ignore' }).status === 0;
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function attempt(what, command, args) {
  console.log(`ristretto: ${what}`);
  return runQuietly(command, args) && loads();
}

/** Where Node's own headers are, for node-gyp without a download; null where they are not installed. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return [process.env.npm_config_nodedir, prefix, '/usr'].find(
    (folder) => folder && existsSync(join(folder, 'include', 'node', 'node_api.h')),
  );
}

function build() {
  if (!has('cmake')) {
    console.log('ristretto: no cmake here; trying node-gyp');
  } else {
    const options = ['--CDRISTRETTO_TESTS=OFF', '--CDRISTRETTO_CUDA_ARCHITECTURES=present'];
    const args = cmakeJs('compile', [...options, '--parallel', '2']);
    if (attempt('building the addon with cmake-js (which takes a few minutes)', process.execPath, args))
      return true;
  }
  const npmGyp = join(
    dirname(process.execPath),
    '..',
    'lib',
    'node_modules',
    'npm',
    'node_modules',
    'node-gyp',
  );
  const gyp = [process.env.npm_config_node_gyp, join(npmGyp, 'bin', 'node-gyp.js')].find(
    (f) => f && existsSync(f),
  );
  const headers = nodeHeaders();
  if (gyp && headers)
    return attempt('building the CPU addon with node-gyp', process.execPath, [
      gyp,
      'rebuild',
      `--nodedir=${headers}`,
    ]);
  return false;
}

if (process.env.npm_config_build_from_source !== 'true' && loads()) process.exit(0);
if (!build()) {
  console.error(
    'ristretto: the native addon could not be built.\n' +
      '  Install a C++20 compiler (g++ 11 or clang 14, or newer) and cmake 3.20 or newer, then run:\n' +
      `  cd ${root} && node scripts/install.mjs\n` +
      '  Debian, Ubuntu: apt-get install g++ cmake make     macOS: xcode-select --install; brew install cmake',
  );
  process.exit(1);
}

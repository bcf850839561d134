// Builds the addon (cmake-js) and compiles lib/ to dist/. --native or --ts limits it to one of the two; --tests adds
// the native tests, which share the addon's objects. What is up to date is not built again.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cmakeJs, runQuietly } from './cmake-js.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const only = process.argv.find((a) => a === '--native' || a === '--ts');
const tests = process.argv.includes('--tests');

function run(script, ...args) {
  const result = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

if (only !== '--ts') {
  // `build` alone keeps the options that a folder was configured with before. The tests are always among the targets:
  // ninja deletes what is built of a target that is gone.
  const options = { TESTS: 'ON', EMULATED_TESTS: 'ON', CUDA_ARCHITECTURES: 'present' };
  const defined = Object.entries(options).map(([name, value]) => `--CDRISTRETTO_${name}=${value}`);
  if (!runQuietly(process.execPath, cmakeJs('configure', defined))) process.exit(1);
  run(...cmakeJs('build', ['--parallel', '2', ...(tests ? [] : ['--target', 'addons'])]));
}
if (only !== '--native') run(require.resolve('typescript/bin/tsc'), '-p', root);

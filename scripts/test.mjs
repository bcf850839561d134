// npm test: sets up what is missing, then the native tests (ctest, no Node involved) and the TypeScript ones.
// Arguments go to vitest: npm test -- test/unit/proto
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { root, run, setup } from './setup.mjs';

setup();

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
if (!existsSync(join(reference, 'reference', 'README.md')))
  console.log(
    `No reference data at ${reference}: the tests that compare with it are skipped (RISTRETTO_REFERENCE sets the folder).`,
  );

const build = join(root, 'build-core');
const filters = process.argv.slice(2);
if (filters.length === 0) {
  // The addon has compiled every kernel for a device already; tests on one need one.
  const gpu = spawnSync('nvidia-smi', ['-L'], { stdio: 'ignore' }).status === 0;
  if (!gpu) console.log('No GPU here: kernels for GPUs are tested in the host executor alone (docs/gpu.md).');
  const options = [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DRISTRETTO_EMULATED_TESTS=ON',
    '-DRISTRETTO_CUDA_ARCHITECTURES=present',
    `-DRISTRETTO_CUDA=${gpu ? 'ON' : 'OFF'}`,
  ];
  run('cmake', ['-S', root, '-B', build, ...options]);
  run('cmake', ['--build', build, '--parallel', '2']);
  run('ctest', ['--test-dir', build, '--output-on-failure', '--parallel', '2'], {
    env: { ...process.env, RISTRETTO_REFERENCE: reference },
  });
}
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
run(process.execPath, [vitest, 'run', ...filters], {
  env: { ...process.env, RISTRETTO_REFERENCE: reference },
});

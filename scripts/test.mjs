// npm test: sets up what is missing, then the native tests (ctest, no Node involved) and the TypeScript ones.
// Arguments go to vitest: npm test -- test/unit/proto
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { root, run, setup } from './setup.mjs';

const filters = process.argv.slice(2);
const native = filters.length === 0;
setup({ tests: native });

const reference = resolve(root, process.env.RISTRETTO_REFERENCE || '../shared');
if (!existsSync(join(reference, 'reference', 'README.md')))
  console.log(
    `No reference data at ${reference}: the tests that compare with it are skipped (RISTRETTO_REFERENCE sets the folder).`,
  );
const env = { ...process.env, RISTRETTO_REFERENCE: reference };

if (native) {
  if (spawnSync('nvidia-smi', ['-L'], { stdio: 'ignore' }).status !== 0)
    console.log('No GPU here: kernels for GPUs are tested in the host executor alone (docs/gpu.md).');
  run('ctest', ['--test-dir', join(root, 'build'), '--output-on-failure', '--parallel', '2'], { env });
}
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
run(process.execPath, [vitest, 'run', ...filters], { env });

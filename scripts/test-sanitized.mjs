// The native tests once more under AddressSanitizer and UndefinedBehaviorSanitizer, which stop at the first fault, and
// the addon in a short form of the stress tests.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { dropUnusableCache } from './cmake-cache.mjs';
import { root, run } from './setup.mjs';

const require = createRequire(import.meta.url);
// node-gyp-build looks for the addon in a folder build/Release.
const home = join(root, 'build-sanitize');
const build = join(home, 'build');
dropUnusableCache(build, root, { addon: true });
const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
const options = { SANITIZE: 'ON', CUDA: 'OFF' };
const flags = Object.entries(options).map(([name, value]) => `--CDRISTRETTO_${name}=${value}`);
run(process.execPath, [cmakeJs, 'configure', '--out', build, ...flags]);
run(process.execPath, [cmakeJs, 'build', '--out', build, '--parallel', '2']);
const env = {
  ...process.env,
  RISTRETTO_REFERENCE: resolve(root, process.env.RISTRETTO_REFERENCE || '../shared'),
  UBSAN_OPTIONS: 'print_stacktrace=1',
};
run('ctest', ['--test-dir', build, '--output-on-failure', '--parallel', '2'], { env });

// The sanitizer must come before everything else in the process, which Node itself was not built with.
const runtime = spawnSync(process.env.CXX ?? 'c++', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
const library = runtime.stdout?.trim() ?? '';
if (process.platform !== 'linux' || !library.startsWith('/')) {
  console.log('No libasan.so here: the addon is not tested under the sanitizers.');
  process.exit(0);
}
for (const [program, ...args] of [
  ['creations', 'integer', 40],
  ['workers', 16, 2],
  ['aborts', 40, 2],
]) {
  console.log(`the addon under the sanitizers: ${program}`);
  run(
    process.execPath,
    ['--expose-gc', join(root, 'test/stress/programs', `${program}.mjs`), ...args.map(String)],
    // Node's own memory is not given back at its end.
    {
      env: { ...env, RISTRETTO_PREBUILD: home, LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' },
      timeout: 300_000,
    },
  );
}

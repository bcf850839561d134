// The NEON kernels on any Linux machine: cross-compiles core's tests for 64-bit Arm and runs those of what ops touch,
// trims, range analysis and everything on codes in an emulator. Says so and passes where compiler or emulator is missing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dropUnusableCache } from './cmake-cache.mjs';
import { root, run } from './setup.mjs';

const tests = ['boundaries_test', 'trim_test', 'range_test', 'codes_test', 'convolution_fixed_test'];
const missing = ['aarch64-linux-gnu-g++', 'qemu-aarch64'].filter(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
);
if (missing.length > 0) {
  console.log(
    `${missing.join(' and ')} not found (Debian: g++-aarch64-linux-gnu, qemu-user): the NEON kernels are not tested`,
  );
  process.exit(0);
}
const build = join(root, 'build-aarch64');
dropUnusableCache(build, root);
// A toolchain is only looked at when a build folder is new.
const toolchain = existsSync(join(build, 'CMakeCache.txt'))
  ? []
  : ['--toolchain', join(root, 'cmake/aarch64-linux-gnu.cmake')];
run('cmake', ['-S', root, '-B', build, ...toolchain]);
run('cmake', ['--build', build, '--parallel', '2', '--target', ...tests]);
run('ctest', [
  '--test-dir',
  build,
  '--output-on-failure',
  '--parallel',
  '2',
  '--tests-regex',
  `^(${tests.join('|')})$`,
]);

// The native tests once more under AddressSanitizer and UndefinedBehaviorSanitizer, which stop at the first fault.
import { join, resolve } from 'node:path';
import { dropUnusableCache } from './cmake-cache.mjs';
import { root, run } from './setup.mjs';

const build = join(root, 'build-sanitize');
dropUnusableCache(build, root);
run('cmake', ['-S', root, '-B', build, '-DRISTRETTO_SANITIZE=ON']);
run('cmake', ['--build', build, '--parallel', '2']);
run('ctest', ['--test-dir', build, '--output-on-failure', '--parallel', '2'], {
  env: {
    ...process.env,
    RISTRETTO_REFERENCE: resolve(root, process.env.RISTRETTO_REFERENCE || '../shared'),
    UBSAN_OPTIONS: 'print_stacktrace=1',
  },
});

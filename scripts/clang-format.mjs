// Formats the C++ with clang-format where it is installed (--write), or checks it.
import { spawnSync } from 'node:child_process';
import { root } from './setup.mjs';

const files = spawnSync(
  'git',
  [
    'ls-files',
    'native/**.h',
    'native/**.cpp',
    'native/**.cu',
    'test/native/*',
    'test/cuda/*',
    'bench/native/*',
    'examples/c/*',
  ],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .stdout.split('\n')
  .filter((f) => /\.(h|cpp|cu)$/.test(f));
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const result = spawnSync('clang-format', [...mode, ...files], { cwd: root, stdio: 'inherit' });
if (result.error) console.log('clang-format is not installed here: the C++ was not formatted.');
process.exit(result.status ?? 0);

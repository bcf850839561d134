// What a build without kernels for GPUs says of the reason: CMake's own choice, with the compilers that it is shown.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const cmake = spawnSync('cmake', ['--version']).status === 0;

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'no-cuda-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Configures the project with these settings; gives the text that the build would say. */
function reason(args: string[], env: NodeJS.ProcessEnv = {}): string {
  const { RISTRETTO_CUDA: _, CUDACXX: __, ...rest } = process.env;
  const build = join(folder, 'build');
  const given = ['-S', root, '-B', build, '-DRISTRETTO_TESTS=OFF', ...args];
  const { status, stderr } = spawnSync('cmake', given, { env: { ...rest, ...env }, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return /"this build has no kernels for GPUs: (.*)"/.exec(
    readFileSync(join(build, 'generated/no_cuda.h'), 'utf8'),
  )![1];
}

/** A compiler that says what it is and compiles nothing. */
function compiler(says: string): string {
  const file = join(folder, 'nvcc');
  writeFileSync(file, `#!/bin/sh\necho '${says}'\nexit 1\n`);
  chmodSync(file, 0o755);
  return file;
}

describe.skipIf(!cmake)('a build without kernels for GPUs', () => {
  it.each([
    ['the option', ['-DRISTRETTO_CUDA=OFF'], {}],
    ['the environment', [], { RISTRETTO_CUDA: 'OFF' }],
  ])('says that %s left them out', (_, args, env) => {
    expect(reason(args, env)).toBe('RISTRETTO_CUDA=OFF left them out when it was made');
  });

  it('says that nvcc is too old, or does not work', () => {
    const nvcc = compiler('Cuda compilation tools, release 12.4, V12.4.131');
    expect(reason([`-DCMAKE_CUDA_COMPILER=${nvcc}`])).toBe(
      `nvcc (${nvcc}) was older than 13 when it was made`,
    );
    rmSync(join(folder, 'build'), { recursive: true });
    expect(reason([], { CUDACXX: nvcc })).toBe(`nvcc (${nvcc}) did not compile when it was made`);
  });

  it.skipIf(existsSync('/usr/bin/nvcc'))('says that there was no nvcc', () => {
    // As if neither a variable nor the usual places named one.
    expect(reason(['-DRISTRETTO_NVCC='], { PATH: '/usr/bin:/bin' })).toBe(
      'nvcc was not found when it was made',
    );
  });
});

// bench/gpu.sh: what it does without a tool or a GPU, when a test fails, and when it goes on where it stopped. The
// compiler here is a fake that "builds" programs which say what the test wants.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const tests = readdirSync(join(root, 'test/cuda'))
  .filter((file) => file.endsWith('_test.cpp') && file !== 'executor_test.cpp')
  .map((file) => `cuda_${file.replace('.cpp', '')}_device`);

const CMAKE = `#!/usr/bin/env bash
if [ "$1" = --build ]; then
  folder=$2
  while [ "$1" != --target ]; do shift; done
  shift
  for name in "$@"; do
    printf '#!/usr/bin/env bash\\nname=%s\\n. "$FAKE_PROGRAM"\\n' "$name" >"$folder/$name"
    chmod +x "$folder/$name"
  done
fi
`;
const PROGRAM = `echo "$name $*" >>"$FAKE_LOG"
case $name in
  cuda_bench)
    if [ "$1" = --check ] && [ -n "$FAKE_NO_GPU" ]; then echo 'no GPU: none fitted' >&2; exit 77; fi
    while [ $# -gt 0 ]; do
      if [ "$1" = --json ]; then echo '{"rates": {}}' >"$2"; fi
      shift
    done ;;
  "$FAKE_FAILING") echo 'FAIL  of: purpose'; exit 1 ;;
  *) echo '3 passed, 0 failed, 0 skipped' ;;
esac
`;

let tools: string, build: string;
beforeAll(() => {
  tools = mkdtempSync(join(tmpdir(), 'gpu-tools-'));
  writeFileSync(join(tools, 'cmake'), CMAKE, { mode: 0o755 });
  writeFileSync(join(tools, 'c++'), '', { mode: 0o755 });
  writeFileSync(join(tools, 'python3'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  writeFileSync(join(tools, 'program'), PROGRAM);
});
afterAll(() => rmSync(tools, { recursive: true, force: true }));
beforeEach(() => {
  build = mkdtempSync(join(tools, 'build-'));
});

function run(args: string[], env: Record<string, string> = {}) {
  const log = join(build, 'log');
  writeFileSync(log, '');
  const { status, stdout, stderr } = spawnSync(
    'bash',
    [join(root, 'bench/gpu.sh'), '--build', build, ...args],
    {
      encoding: 'utf8',
      env: {
        PATH: `${tools}:${process.env.PATH}`,
        CUDACXX: 'nvcc',
        FAKE_PROGRAM: join(tools, 'program'),
        FAKE_LOG: log,
        FAKE_NO_GPU: '',
        FAKE_FAILING: '',
        ...env,
      },
    },
  );
  return { status, text: stdout + stderr, ran: readFileSync(log, 'utf8').split('\n').filter(Boolean) };
}
const results = () => JSON.parse(readFileSync(join(build, 'gpu.json'), 'utf8'));

describe('bench/gpu.sh', () => {
  it('runs every test and the benchmark, and none of it again', () => {
    const first = run([]);
    expect(first.text).toContain('peers: skipped');
    expect(first.status).toBe(0);
    for (const name of tests) expect(first.ran).toContain(`${name} `);
    expect(results().tests.map((t: { test: string }) => t.test)).toEqual(tests);
    expect(results().benchmark).toEqual({ rates: {} });

    const second = run([]);
    expect(second.status).toBe(0);
    expect(second.ran).toEqual(['cuda_bench --check']);
    expect(run(['--force', '--part', 'test']).ran).toContain(`${tests[0]} `);
  });

  it('reports a failing test, goes on with the others, and repeats only that one', () => {
    const first = run([], { FAKE_FAILING: tests[0] });
    expect(first.status).toBe(1);
    expect(first.text).toContain('FAIL  of: purpose');
    expect(first.ran.filter((line) => line.startsWith('cuda_bench --shapes'))).toEqual([]);
    expect(results().tests[0].result).toBe('failed, exit code 1');
    expect(results().tests.at(-1).result).toBe('passed');

    const second = run(['--part', 'test']);
    expect(second.status).toBe(0);
    expect(second.ran).toEqual(['cuda_bench --check', `${tests[0]} `]);
  });

  it('says that nothing ran where there is no GPU', () => {
    const { status, text, ran } = run([], { FAKE_NO_GPU: '1' });
    expect(status).toBe(77);
    expect(text).toMatch(/tests, benchmark and peers skipped: no GPU: none fitted/);
    expect(ran).toEqual(['cuda_bench --check']);
  });

  it('names the tool that is missing', () => {
    const bare = mkdtempSync(join(tools, 'bare-'));
    const needed =
      'bash dirname basename find sort xargs cksum cat mkdir date sed awk grep nproc rm mv paste'.split(' ');
    for (const name of needed) {
      const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
      if (found) symlinkSync(found, join(bare, name));
    }
    const { status, text } = run([], { PATH: bare });
    expect(status).toBe(3);
    expect(text).toContain('cmake was not found');
  });

  it('refuses what it does not know', () => {
    expect(run(['--prat', 'build']).status).toBe(2);
    expect(run(['--part', 'all-of-it']).status).toBe(2);
    expect(run(['--part', 'test']).text).toContain('run --part build first');
  });
});

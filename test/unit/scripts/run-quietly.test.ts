import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const { runQuietly } = (await import(new URL('../../../scripts/cmake-js.mjs', import.meta.url).href)) as {
  runQuietly(command: string, args: string[]): boolean;
};

let shown = '';
beforeEach(() => {
  shown = '';
  const take = (text: unknown) => ((shown += String(text)), true);
  vi.spyOn(process.stderr, 'write').mockImplementation(take);
  vi.spyOn(console, 'error').mockImplementation(take);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const program = (code: number) => [
  '-e',
  `process.stdout.write('a'.repeat(3e6)); console.error('why'); process.exitCode = ${code}`,
];

it('shows nothing of what did well', () => {
  expect(runQuietly(process.execPath, program(0))).toBe(true);
  expect(shown).toBe('');
});

it('shows all of what failed, both streams and how it ended', () => {
  expect(runQuietly(process.execPath, program(3))).toBe(false);
  expect(shown).toBe('a'.repeat(3e6) + 'why\n' + `${process.execPath}: exit code 3`);
  shown = '';
  expect(runQuietly('/no/such/program', [])).toBe(false);
  expect(shown).toMatch(/program: .*ENOENT/);
});

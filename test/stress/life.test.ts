// The life of the process: whatever is left open, stopped or aborted, nothing crashes, hangs, leaks or changes numbers.
import { describe, expect, it } from 'vitest';
import { full, runProgram } from './programs.js';

const minutes = full ? 60 : 4;

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

describe('the life of the process', { timeout: minutes * 60_000 }, () => {
  it.each(['float', 'simulated', 'integer'])('%s nets give all of their memory back', async (engine) => {
    const ended = await runProgram('creations', [engine, full ? 10_000 : 1_000], minutes * 60);
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    const resident = JSON.parse(ended.stdout) as number[];
    // The first fifth warms up: compiled code, the collector's own heap.
    const growth = median(resident.slice(-8)) - median(resident.slice(4, 12));
    // A net takes half a megabyte. In the short form compiled code still grows by some megabytes.
    expect(growth).toBeLessThan(full ? 1 : 16);
  });

  it('so do synchronous calls of kernels, in a loop that never lets the event loop turn', async () => {
    const calls = full ? 30_000 : 5_000;
    const ended = await runProgram('calls', [calls], minutes * 60);
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    const [before, after] = JSON.parse(ended.stdout) as [number, number];
    // Of the 40 KB of each call; what Node-API keeps of an object until the event loop turns is a twentieth.
    expect((after - before) / calls).toBeLessThan(0.005);
  });

  it.each([
    ['workers that are terminated, or exit with all left open', 'workers', full ? 1_000 : 48],
    ['aborted passes, solvers and searches', 'aborts', full ? 1_000 : 100],
  ])('survives %s', async (_, program, count) => {
    const ended = await runProgram(program, [count, 1], minutes * 60);
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'right\n' });
  });
});

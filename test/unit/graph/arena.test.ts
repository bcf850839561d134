import { describe, expect, it } from 'vitest';
import { ActivationArena } from '../../../lib/graph/index.js';
import { assignOffsets, type Interval } from '../../../lib/graph/arena.js';

describe('assignOffsets', () => {
  it('uses memory again once its owner is done', () => {
    const chain = [0, 1, 2, 3].map((i): Interval => ({ bytes: 128, first: i, last: i + 1 }));
    expect(assignOffsets(chain)).toEqual({ offsets: [0, 128, 0, 128], bytes: 256 });
  });

  it('takes the tightest gap', () => {
    // Two gaps are free at time 1: 64 bytes behind a, 640 behind b.
    const intervals: Interval[] = [
      { bytes: 1024, first: 0, last: 2 },
      { bytes: 640, first: 0, last: 0 },
      { bytes: 512, first: 0, last: 2 },
      { bytes: 64, first: 1, last: 1 },
    ];
    const { offsets, bytes } = assignOffsets(intervals);
    expect(bytes).toBe(1024 + 640 + 512);
    expect(offsets[3]).toBe(1024);
  });

  it('never lets two that live at once overlap', () => {
    let state = 99;
    const random = (n: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
    for (let round = 0; round < 50; round++) {
      const intervals = Array.from({ length: 40 }, (): Interval => {
        const first = random(30);
        return { bytes: 1 + random(5000), first, last: first + random(8) };
      });
      const { offsets, bytes } = assignOffsets(intervals);
      for (const [i, a] of intervals.entries()) {
        expect(offsets[i] % 64).toBe(0);
        expect(offsets[i] + a.bytes).toBeLessThanOrEqual(bytes);
        for (const [j, b] of intervals.entries()) {
          if (i === j || a.last < b.first || b.last < a.first) continue;
          expect(offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i]).toBe(true);
        }
      }
    }
  });
});

describe('ActivationArena', () => {
  it('grows to the largest need', () => {
    const arena = new ActivationArena();
    arena.require(100);
    const first = arena.buffer;
    expect(first.byteLength).toBeGreaterThanOrEqual(100);
    arena.require(50);
    expect(arena.buffer).toBe(first);
    arena.require(5000);
    expect(arena.buffer).not.toBe(first);
    expect(arena.bytes).toBe(5000);
  });

  it('gives turns in order, also after an error', async () => {
    const arena = new ActivationArena();
    const order: string[] = [];
    const turn = (name: string, fails = false) =>
      arena.exclusive(async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    const results = await Promise.allSettled([turn('a'), turn('b', true), turn('c')]);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});

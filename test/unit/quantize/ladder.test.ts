import { describe, expect, it } from 'vitest';
import { Ladder, withinMargin } from '../../../lib/quantize/ladder.js';

describe('Ladder', () => {
  it('walks down until a step fails and keeps the last that passed', () => {
    const ladder = new Ladder();
    const tried: number[] = [];
    while (ladder.next !== null) {
      tried.push(ladder.next);
      ladder.accept(0.5, ladder.next >= 8);
    }
    expect(tried).toEqual([16, 8, 4]);
    expect(ladder.chosen).toBe(8);
  });

  it('falls back to 32 where 16 fails already', () => {
    const ladder = new Ladder();
    ladder.accept(0.1, false);
    expect(ladder.next).toBeNull();
    expect(ladder.chosen).toBe(32);
    expect(() => ladder.accept(1, true)).toThrow('ended');
  });

  it('ends after the last width', () => {
    const ladder = new Ladder([16, 8]);
    ladder.accept(1, true);
    ladder.accept(1, true);
    expect(ladder.next).toBeNull();
    expect(ladder.chosen).toBe(8);
  });
});

describe('withinMargin', () => {
  it('compares float32 scores with a double margin', () => {
    // In decimals 0.65 - 0.03 is 0.62; as float32 values 0.62 + 0.03 falls short of 0.65.
    const baseline = Math.fround(0.65);
    const score = Math.fround(0.62);
    expect(withinMargin(score, baseline, 3)).toBe(score + 3 / 100 >= baseline);
    expect(withinMargin(Math.fround(0.634), Math.fround(0.648), 3)).toBe(true);
    expect(withinMargin(Math.fround(0.6), Math.fround(0.648), 3)).toBe(false);
    expect(withinMargin(Math.fround(0.97), 1, 3)).toBe(Math.fround(0.97) + 0.03 >= 1);
    expect(withinMargin(NaN, 0.5, 3)).toBe(false);
  });
});

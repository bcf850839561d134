import { describe, expect, it } from 'vitest';
import { LISTED_VALUES, RunningScores, scoreOf } from '../../../lib/quantize/running-scores.js';

const outputs = [
  { name: 'accuracy', count: 1, lossWeight: 0 },
  { name: 'loss', count: 1, lossWeight: 1 },
];

describe('RunningScores', () => {
  it('sums and divides in float32, batch by batch', () => {
    const running = new RunningScores();
    let sum = 0;
    for (let batch = 0; batch < 1000; batch++) {
      const score = Math.fround((batch % 25) / 25);
      running.add(outputs, 1, Float32Array.of(score, 1));
      sum = Math.fround(sum + score);
    }
    const scores = running.finish();
    expect(scores.means[0]).toBe(Math.fround(sum / 1000));
    expect(scores.means[0]).not.toBe(Math.fround(0.48)); // what a sum in doubles would give
    expect(scores.loss).toBe(1);
    expect(scores.batches).toHaveLength(1000);
  });

  it('scores the first value of the first output, or of the one that is named', () => {
    const running = new RunningScores();
    running.add(
      [
        { name: 'prob', count: 3, lossWeight: 0 },
        { name: 'top5', count: 1, lossWeight: 0 },
      ],
      0,
      Float32Array.of(0.25, 0.5, 0.75, 1),
    );
    const scores = running.finish();
    expect(scoreOf(scores)).toBe(0.25);
    expect(scoreOf(scores, 'top5')).toBe(1);
    expect(scoreOf(scores, 'other')).toBeNaN();
  });

  it('keeps a bounded number of values per batch', () => {
    const running = new RunningScores();
    running.add([{ name: 'prob', count: 25000, lossWeight: 0 }], 0, new Float32Array(25000).fill(2));
    const scores = running.finish();
    expect(scores.batches[0].values).toHaveLength(LISTED_VALUES);
    expect(scores.means).toHaveLength(25000);
  });
});

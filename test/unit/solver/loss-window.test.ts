import { describe, expect, it } from 'vitest';
import { LossWindow } from '../../../lib/solver/loss-window.js';

describe('LossWindow', () => {
  it('is the mean of the last losses', () => {
    const window = new LossWindow(3);
    const means = [6, 2, 1, 9, 5].map((loss) => {
      window.add(loss);
      return window.mean;
    });
    expect(means).toEqual([6, 4, 3, 4, 5]);
  });

  it('goes on from what JSON kept of it', () => {
    for (const losses of [[4], [4, 2, 8], [4, 2, 8, 5, 1], [4, NaN, 8, 5]]) {
      const [one, two] = [new LossWindow(3), new LossWindow(3)];
      for (const loss of losses) one.add(loss);
      two.restore(JSON.parse(JSON.stringify(one.state)) as typeof one.state);
      for (const loss of [7, 0.1, 3, 0.7]) {
        one.add(loss);
        two.add(loss);
        expect(two.mean).toBe(one.mean);
      }
    }
  });

  it('starts over where the window had another size', () => {
    const [three, two] = [new LossWindow(3), new LossWindow(2)];
    for (const loss of [1, 2, 3, 4]) three.add(loss);
    two.restore(three.state);
    two.add(8);
    expect(two.mean).toBe(8);
  });
});

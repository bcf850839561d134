import { describe, expect, it, vi } from 'vitest';
import { withCallbacks } from '../../../lib/util/callbacks.js';

interface Options {
  count: number;
  onStep?: (step: number) => unknown;
}

/** Calls back as often as it is told, with turns of the event loop in between. */
async function work({ count, onStep }: Options): Promise<number> {
  for (let i = 0; i < count; i++) {
    onStep?.(i);
    await new Promise((done) => setImmediate(done));
  }
  return count;
}

describe('callbacks', () => {
  it('are called as they are, and may be left out', async () => {
    const onStep = vi.fn();
    expect(await withCallbacks({ count: 3, onStep }, work)).toBe(3);
    expect(onStep.mock.calls).toEqual([[0], [1], [2]]);
    expect(await withCallbacks({ count: 2 }, work)).toBe(2);
  });

  it('end the work by what they throw, now or later, and at its end too', async () => {
    for (const fail of [
      () => {
        throw new Error('no');
      },
      () => Promise.reject(new Error('no')),
    ]) {
      const onStep = vi.fn(fail);
      await expect(withCallbacks({ count: 5, onStep }, work)).rejects.toThrow('no');
      expect(onStep).toHaveBeenCalledTimes(1);
      await expect(withCallbacks({ count: 1, onStep: fail }, work)).rejects.toThrow('no');
    }
  });

  it('are waited for', async () => {
    let done = false;
    const onStep = () => new Promise<void>((resolve) => setTimeout(() => resolve(void (done = true)), 20));
    await withCallbacks({ count: 1, onStep }, work);
    expect(done).toBe(true);
  });
});

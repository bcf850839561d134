import { describe, expect, it } from 'vitest';
import { fnv1a32, permutation, philox4x32, RandomWords } from '../../../lib/util/philox.js';

describe('philox4x32', () => {
  // Known answers of Random123 (kat_vectors), ten rounds.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the published words', (counter, key, words) => {
    expect(philox4x32(counter, key)).toEqual(words);
  });
});

describe('RandomWords', () => {
  it('repeats itself for one seed and stream, and differs for others', () => {
    const draw = (seed: number, stream: string) => {
      const words = new RandomWords(seed, stream);
      return Array.from({ length: 9 }, () => words.next());
    };
    expect(draw(1, 'conv1/0')).toEqual(draw(1, 'conv1/0'));
    expect(draw(1, 'conv1/0')).not.toEqual(draw(2, 'conv1/0'));
    expect(draw(1, 'conv1/0')).not.toEqual(draw(1, 'conv1/1'));
  });
  it('hashes names as FNV-1a', () => {
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
  });
});

describe('permutation', () => {
  it('has every number once, each as often in every place', () => {
    const random = new RandomWords(5, 'order');
    const firsts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      const order = permutation(4, random);
      expect([...order].sort()).toEqual([0, 1, 2, 3]);
      firsts[order[0]]++;
    }
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect([...permutation(0, random)]).toEqual([]);
  });
});

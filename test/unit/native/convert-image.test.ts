import { describe, expect, it } from 'vitest';
import { convertImage } from '../../../lib/native/index.js';

const image = { data: Uint8Array.of(255, 0, 0, 10, 200, 77), height: 1, width: 2, channels: 3 };

describe('convertImage', () => {
  it('makes gray with the weights that are given', async () => {
    const of = async (gray: Parameters<typeof convertImage>[1]['gray']) => [
      ...(await convertImage(image, { gray })).data,
    ];
    expect(await of(true)).toEqual([76, 129]);
    expect(await of({ red: 9797, green: 19234, blue: 3737, half: 0, shift: 15 })).toEqual([76, 129]);
    expect(await of({ red: 0, green: 0, blue: 1, half: 0, shift: 0 })).toEqual([0, 77]);
  });

  it.each([
    [{ red: 2, green: 0, blue: 0, half: 0, shift: 0 }, /gray\.red must be a whole number from 0 to 1/],
    [{ red: 1, green: 1, blue: 0, half: 0, shift: 0 }, /must not sum to more than 2\^shift/],
    [{ red: 1, green: 0, blue: 0, half: 9, shift: 4 }, /gray\.half/],
    [{ red: 1, green: 0, blue: 0, half: 0, shift: 17 }, /gray\.shift/],
    [{ red: 1, green: 0.5, blue: 0, half: 0, shift: 3 }, /gray\.green/],
    [{} as never, /gray\.shift/],
  ])('refuses the weights %j', (gray, message) => {
    expect(() => convertImage(image, { gray })).toThrow(message);
  });

  it('takes an image of any width, and makes none beyond 65535', async () => {
    const wide = { data: new Uint8Array(70000).fill(9), height: 1, width: 70000, channels: 1 };
    expect([...(await convertImage(wide, { height: 2, width: 2 })).data]).toEqual([9, 9, 9, 9]);
    expect(() => convertImage(wide, { height: 1, width: 65536 })).toThrow(/width must be .* to 65535/);
  });
});

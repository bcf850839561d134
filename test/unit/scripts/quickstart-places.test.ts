import { describe, expect, it } from 'vitest';

const { flagValue, netFolder } = (await import(
  new URL('../../../scripts/quickstart-places.mjs', import.meta.url).href
)) as {
  flagValue(given: string[], name: string): string | null;
  netFolder(given: string[], folder: string): string;
};

describe('flagValue', () => {
  it.each([
    [['--model=a=b.prototxt'], 'a=b.prototxt'],
    [['-model=a'], 'a'],
    [['--model', 'a', '--data', 'd'], 'a'],
    [['--model=a', '-model', 'b'], 'b'],
    [['--model_quantized=q', 'model'], null],
  ])('finds what %j gives', (given, value) => {
    expect(flagValue(given, 'model')).toBe(value);
  });
});

describe('netFolder', () => {
  const folder = (model: string, more: string[] = [], from = '/home/me') =>
    netFolder([`--model=${model}`, '--weights=w.caffemodel', ...more], from);

  it('tells the net, and is the same for the same net by whatever path', () => {
    expect(folder('nets/lenet/train val.prototxt')).toMatch(/^lenet-train_val-[0-9a-f]{6}$/);
    expect(folder('lenet/n.prototxt')).toBe(folder('../me/lenet/n.prototxt'));
    expect(folder('n.prototxt', ['--iterations=7', '--resume'])).toBe(folder('n.prototxt'));
    expect(folder('n.prototxt')).toBe(folder('/home/me/n.prototxt'));
    expect(folder('/n.prototxt')).toMatch(/^n-[0-9a-f]{6}$/);
  });

  it('is another for each net, its weights and the trimming mode', () => {
    const folders = [
      folder('a/train_val.prototxt'),
      folder('b/a/train_val.prototxt'),
      folder('a/deploy.prototxt'),
      folder('a/train_val.prototxt', [], '/home/you'),
      folder('a/train_val.prototxt', ['--weights=v.caffemodel']),
      folder('a/train_val.prototxt', ['--trimming_mode=minifloat']),
    ];
    expect(new Set(folders).size).toBe(folders.length);
  });
});

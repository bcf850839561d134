import { describe, expect, it } from 'vitest';
import {
  knownShapes,
  multiplications,
  parseShapes,
  readShapes,
} from '../../../../lib/cli/commands/bench/shapes.js';

describe('the shapes that come with the package', () => {
  // Published multiply-accumulates of the nets, in millions.
  it.each([
    ['squeezenet_v1.0', 26, 861.34],
    ['squeezenet_v1.1', 26, 387.75],
    ['googlenet', 58, 1582.67],
    ['vgg16', 16, 15470.26],
    ['resnet18', 21, 1814.07],
    ['resnet50', 54, 3857.97],
    ['mobilenet_v1', 28, 568.74],
  ])('%s has %i layers of %f MMAC in all', (net, layers, millions) => {
    const shapes = readShapes(net);
    expect(shapes).toHaveLength(layers);
    expect(shapes.reduce((sum, shape) => sum + multiplications(shape), 0) / 1e6).toBeCloseTo(millions, 2);
    expect(new Set(shapes.map(({ name }) => name)).size).toBe(layers);
  });

  it('are all tested above', () => {
    expect(knownShapes()).toHaveLength(7);
  });
});

describe('shape files', () => {
  it('may have comments and empty lines', () => {
    expect(parseShapes('# a net\n\n  a 4 5 6 8 3 2 2 1 4\n', 'net.txt')).toEqual([
      {
        name: 'a',
        channels: 4,
        height: 5,
        width: 6,
        kernels: 8,
        kernelH: 3,
        kernelW: 2,
        stride: 2,
        pad: 1,
        group: 4,
      },
    ]);
  });

  it.each([
    ['a 4 5 6 8 3 2 2 1', /net\.txt:2:1: .*9 columns/],
    ['a 4 5 6 8 3 2 0 1 4', /'0' is no stride/],
    ['a 4 5 6 8 3 x 2 1 4', /'x' is no kernelW/],
    ['a 4 5 6 8 3 2 2 1 3', /3 groups do not divide/],
    ['a 4 5 6 8 9 2 2 1 4', /kernel exceeds/],
  ])('refuse %s', (line, message) => {
    expect(() => parseShapes(`#\n${line}\n`, 'some/net.txt')).toThrow(message);
  });

  it('must exist and hold something', () => {
    expect(() => parseShapes('# nothing\n', 'net.txt')).toThrow('holds no problem');
    expect(() => readShapes('squeezenet_v1.2')).toThrow(/did you mean squeezenet_v1/);
  });
});

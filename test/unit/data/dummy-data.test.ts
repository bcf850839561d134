import { afterEach, describe, expect, it } from 'vitest';
import type { Net } from '../../../lib/graph/index.js';
import { dataNet } from './one-layer-net.js';

let net: Net | undefined;
afterEach(async () => {
  await net?.close();
  net = undefined;
});

const dummy = (tops: string[], param: string) =>
  `layer { name: "d" type: "DummyData" ${tops.map((top) => `top: "${top}"`).join(' ')} dummy_data_param { ${param} } }`;

describe('DummyData', () => {
  it('takes one shape for all tops, or one each', async () => {
    net = await dataNet(dummy(['a', 'b'], 'shape { dim: 2 dim: 3 }'));
    expect([...net.shapes.values()]).toEqual([
      [2, 3],
      [2, 3],
    ]);
    await net.close();
    net = await dataNet(dummy(['a', 'b'], 'shape { dim: 2 dim: 3 } shape { dim: 4 }'));
    expect(net.shapes.get('b')).toEqual([4]);
  });

  it('takes the legacy dimensions, each once or once per top', async () => {
    net = await dataNet(dummy(['a', 'b'], 'num: 5 channels: 1 channels: 2 height: 3 width: 4'));
    expect(net.shapes.get('a')).toEqual([5, 1, 3, 4]);
    expect(net.shapes.get('b')).toEqual([5, 2, 3, 4]);
  });

  it('fills constants once and everything else in every pass', async () => {
    net = await dataNet(
      dummy(
        ['a', 'b'],
        'shape { dim: 3 } data_filler { value: 2 } data_filler { type: "uniform" min: 1 max: 2 }',
      ),
    );
    await net.forward();
    expect([...net.blob('a').data]).toEqual([2, 2, 2]);
    const first = net.blob('b').toArray();
    expect(first.every((value) => value >= 1 && value < 2)).toBe(true);
    net.blob('a').set([7, 8, 9]);
    await net.forward();
    expect([...net.blob('a').data]).toEqual([7, 8, 9]);
    expect(net.blob('b').toArray()).not.toEqual(first);
  });

  it('draws the same values for the same seed', async () => {
    const draw = async (seed: number) => {
      net = await dataNet(dummy(['a'], 'shape { dim: 8 } data_filler { type: "gaussian" std: 1 }'), { seed });
      await net.forward();
      await net.forward();
      const values = net.blob('a').toArray();
      await net.close();
      return values;
    };
    expect(await draw(3)).toEqual(await draw(3));
    expect(await draw(3)).not.toEqual(await draw(4));
  });

  it('is zero without a filler, and fills again what the user reshaped', async () => {
    net = await dataNet(dummy(['a'], 'shape { dim: 2 } data_filler { value: 1 }'));
    await net.forward();
    net.blob('a').reshape([4]);
    await net.forward();
    expect([...net.blob('a').data]).toEqual([1, 1, 1, 1]);
    await net.close();
    net = await dataNet(dummy(['a'], 'shape { dim: 2 }'));
    await net.forward();
    expect([...net.blob('a').data]).toEqual([0, 0]);
  });

  it.each([
    [['a'], 'shape { dim: 2 } num: 1', /layer 'd': dummy_data_param\.shape: both/],
    [
      ['a', 'b', 'c'],
      'shape { dim: 2 } shape { dim: 3 }',
      /layer 'd': dummy_data_param\.shape: given 2 times for 3 tops/,
    ],
    [['a'], '', /dummy_data_param\.shape: given 0 times for 1 tops/],
    [['a'], 'num: 1 channels: 1 height: 1', /dummy_data_param\.width: given 0 times/],
    [['a'], 'shape { dim: 2 } data_filler {} data_filler {}', /data_filler: given 2 times for 1 tops/],
    [['a'], 'shape { dim: 1000000 dim: 1000000 }', /layer 'd'.*elements/],
    [['a'], 'shape { dim: -1 }', /layer 'd'.*-1 is not a dimension/],
  ])('refuses tops %j with { %s }', async (tops, param, message) => {
    await expect(dataNet(dummy(tops, param))).rejects.toThrow(message);
  });

  it('names the layer of an unknown filler', async () => {
    net = await dataNet(dummy(['a'], 'shape { dim: 2 } data_filler { type: "gausian" }'));
    await expect(net.forward()).rejects.toThrow(
      /layer 'd': dummy_data_param\.data_filler: unknown filler 'gausian'/,
    );
  });
});

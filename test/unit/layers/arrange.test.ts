// Layers that move values without changing them.
import { describe, expect, it } from 'vitest';
import { Net } from '../../../lib/graph/index.js';
import { layers } from '../../../lib/layers/index.js';
import { parseText } from '../../../lib/proto/index.js';
import { forward, makeLayer, run } from './run-layer.js';

const counting = (shape: number[]) => ({ shape, values: (i: number) => i + 1 });
const refusal = (...args: Parameters<typeof makeLayer>): Promise<string> =>
  makeLayer(...args).then(
    () => 'accepted',
    (error: Error) => error.message,
  );
const inputs = (...shapes: number[][]) =>
  shapes
    .map(
      (shape, i) =>
        `layer { name: "b${i}" type: "Input" top: "b${i}" input_param { shape { ${shape.map((d) => `dim: ${d}`).join(' ')} } } }`,
    )
    .join('\n');
const netOf = (text: string) =>
  Net.create({ param: parseText('NetParameter', text), registry: layers, threads: 1, keep: 'all' });

describe('Concat and Slice', () => {
  it.each([-1, 0, 1, 2])('undo each other along axis %i', async (axis) => {
    const shape = [4, 6, 2];
    const { layer, bottom, top } = await makeLayer(
      'Slice',
      `slice_param { axis: ${axis} }`,
      [counting(shape)],
      { tops: 2 },
    );
    const parts = await forward({ layer, bottom, top });
    const [joined] = await run(
      'Concat',
      `concat_param { axis: ${axis} }`,
      parts.map((values, i) => ({ shape: top[i].shape, values })),
    );
    expect(joined).toEqual([...bottom[0].data]);
  });

  it('take the older name of the axis, not both', async () => {
    const { top } = await makeLayer('Concat', 'concat_param { concat_dim: 0 }', [
      { shape: [2, 3] },
      { shape: [1, 3] },
    ]);
    expect(top[0].shape).toEqual([3, 3]);
    expect(
      await refusal('Slice', 'slice_param { slice_dim: 1 axis: 1 }', [{ shape: [2, 4] }], { tops: 2 }),
    ).toMatch(/^layer 'it': slice_param: give either axis or slice_dim/);
  });

  it('share memory where there is one part', async () => {
    for (const type of ['Concat', 'Slice']) {
      const { layer, bottom, top } = await makeLayer(type, '', [counting([2, 3])]);
      expect(top[0].owner).toBe(bottom[0]);
      expect(await forward({ layer, bottom, top })).toEqual([[1, 2, 3, 4, 5, 6]]);
    }
  });

  it.each([
    ['slice_point: 2', 3, /3 tops need 2 points, there are 1/],
    ['slice_point: 2 slice_point: 2', 3, /points must rise/],
    ['slice_point: 9', 2, /points must rise/],
    ['', 4, /4 tops do not divide the 6 elements/],
  ])('Slice refuses %s for %i tops', async (fields, tops, message) => {
    expect(
      await refusal('Slice', `slice_param { ${fields} }`, [{ shape: [2, 6] }], { tops: tops as number }),
    ).toMatch(message as RegExp);
  });

  it('Concat names the bottoms that do not fit', async () => {
    expect(await refusal('Concat', '', [{ shape: [2, 3, 4] }, { shape: [2, 3, 5] }])).toMatch(
      /'b0' \(2, 3, 4\) and 'b1' \(2, 3, 5\) differ on another axis than 1/,
    );
  });
});

describe('Reshape and Flatten', () => {
  it.each([
    ['shape { dim: 0 dim: -1 }', [2, 12]],
    ['shape { dim: -1 } axis: 1 num_axes: 2', [2, 12]],
    ['shape { dim: 3 dim: 2 } axis: 1 num_axes: 1', [2, 3, 2, 2]],
    ['shape { dim: 1 } axis: 0 num_axes: 0', [1, 2, 6, 2]],
    ['shape { dim: 1 dim: 1 } axis: -1 num_axes: 0', [2, 6, 2, 1, 1]],
  ])('%s', async (fields, shape) => {
    const { bottom, top } = await makeLayer('Reshape', `reshape_param { ${fields} }`, [{ shape: [2, 6, 2] }]);
    expect(top[0].shape).toEqual(shape);
    expect(top[0].owner).toBe(bottom[0]);
  });

  it.each([
    ['shape { dim: -1 dim: -1 }', /only one dimension may be -1/],
    ['shape { dim: 7 dim: -1 }', /24 elements of the bottom are no multiple of 7/],
    ['shape { dim: 5 }', /does not have the 24 elements/],
    ['shape { dim: 0 } axis: 3', /dim 0 is 0, but/],
    ['shape { dim: -2 }', /at least -1/],
    ['axis: 4', /axis: 4 is out of range/],
    ['axis: 1 num_axes: 3', /ends beyond/],
  ])('refuses %s', async (fields, message) => {
    expect(await refusal('Reshape', `reshape_param { ${fields} }`, [{ shape: [2, 6, 2] }])).toMatch(message);
  });

  it('Flatten joins a range of axes', async () => {
    const { top } = await makeLayer('Flatten', 'flatten_param { axis: 1 end_axis: -2 }', [
      { shape: [2, 3, 4, 5] },
    ]);
    expect(top[0].shape).toEqual([2, 12, 5]);
  });

  it('a layer in place behind an alias leaves the other reader its values', async () => {
    const net = await netOf(`${inputs([1, 4])}
      layer { name: "flat" type: "Flatten" bottom: "b0" top: "flat" }
      layer { name: "relu" type: "ReLU" bottom: "flat" top: "flat" }
      layer { name: "sum" type: "Reduction" bottom: "b0" top: "sum" }`);
    net.blob('b0').set([-1, 2, -3, 4]);
    await net.forward();
    expect([...net.blob('flat').data]).toEqual([0, 2, 0, 4]);
    expect([...net.blob('sum').data]).toEqual([2]);
    await net.close();
  });
});

describe('Crop and Tile', () => {
  it('Crop takes an offset for all axes', async () => {
    const [values] = await run('Crop', 'crop_param { axis: 1 offset: 1 }', [
      counting([2, 3, 4]),
      { shape: [1, 2, 2] },
    ]);
    expect(values).toEqual([6, 7, 10, 11, 18, 19, 22, 23]);
  });

  it('Crop refuses what leaves the bottom', async () => {
    expect(
      await refusal('Crop', 'crop_param { axis: 1 offset: 2 }', [{ shape: [1, 4, 4] }, { shape: [1, 2, 3] }]),
    ).toMatch(/crop_param.offset: 3 elements from 2 on exceed axis 2/);
  });

  it('Tile repeats along its axis', async () => {
    const [values] = await run('Tile', 'tile_param { axis: 0 tiles: 2 }', [counting([2, 2])]);
    expect(values).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
    expect(await refusal('Tile', '', [{ shape: [2, 2] }])).toMatch(/tile_param.tiles: must be at least 1/);
  });
});

describe('Embed, BatchReindex, Filter', () => {
  it('name the layer where an index is none', async () => {
    const given = [counting([3, 2]), { shape: [2], values: [2, 3] }];
    await expect(run('BatchReindex', '', given)).rejects.toThrow(
      /^layer 'it': index 3 \(number 1\) is outside/,
    );
  });

  it('later layers follow the number of images that Filter lets through', async () => {
    const net = await netOf(`${inputs([4, 2], [4])}
      layer { name: "filter" type: "Filter" bottom: "b0" bottom: "b1" top: "some" }
      layer { name: "sum" type: "Reduction" bottom: "some" top: "sum" reduction_param { axis: 1 } }`);
    net.blob('b0').set([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const [selector, sums] of [
      [
        [0, 1, 0, 2],
        [7, 15],
      ],
      [
        [1, 1, 1, 0],
        [3, 7, 11],
      ],
      [[0, 0, 0, 0], []],
      [
        [1, 1, 1, 1],
        [3, 7, 11, 15],
      ],
    ]) {
      net.blob('b1').set(selector);
      await net.forward();
      expect([...net.blob('sum').data]).toEqual(sums);
    }
    await net.close();
  });
});

it('Im2col times the kernels is the convolution', async () => {
  const window = 'kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 2 dilation: 2';
  const given = { shape: [2, 3, 7, 6], values: (i: number) => ((i * 37) % 23) - 11 };
  const weights = Array.from({ length: 3 * 3 * 2 }, (_, i) => ((i * 5) % 7) - 3);
  const made = await makeLayer(
    'Convolution',
    `convolution_param { num_output: 1 bias_term: false ${window} }`,
    [given],
  );
  made.layer.blobs[0].set(weights);
  const [expected] = await forward(made);
  const columns = await makeLayer('Im2col', `convolution_param { ${window} }`, [given]);
  const [images, rows, p, q] = columns.top[0].shape;
  expect([images, rows, p, q]).toEqual([2, 18, made.top[0].shape[2], made.top[0].shape[3]]);
  const [values] = await forward(columns);
  const products = Array.from({ length: images * p * q }, (_, i) => {
    const [image, at] = [Math.floor(i / (p * q)), i % (p * q)];
    return weights.reduce((sum, weight, row) => sum + weight * values[(image * rows + row) * p * q + at], 0);
  });
  expect(products).toEqual(expected);
});

it('SPP sets the levels side by side, whatever the method', async () => {
  const given = counting([1, 2, 4, 4]);
  const [average] = await run('SPP', 'spp_param { pyramid_height: 2 pool: AVE }', [given]);
  const [whole] = await run('Pooling', 'pooling_param { pool: AVE global_pooling: true }', [given]);
  const [quarters] = await run('Pooling', 'pooling_param { pool: AVE kernel_size: 2 stride: 2 }', [given]);
  expect(average).toEqual([...whole, ...quarters]);
  expect(await refusal('SPP', 'spp_param { pyramid_height: 3 }', [{ shape: [1, 1, 5, 5] }])).toMatch(
    /4 bins are too many for 5 \* 5/,
  );
  expect(await refusal('SPP', 'spp_param { pyramid_height: 99 }', [{ shape: [1, 1, 5, 5] }])).toMatch(
    /pyramid_height: must be from 1 to 16/,
  );
});

describe('Input, Parameter, Silence', () => {
  it('an input keeps the shape that its user gave it', async () => {
    const net = await netOf(`${inputs([1, 3])}
      layer { name: "twice" type: "Power" bottom: "b0" top: "twice" power_param { scale: 2 } }`);
    net.blob('b0').reshape([2, 3]);
    net.blob('b0').set([1, 2, 3, 4, 5, 6]);
    await net.forward();
    expect([...net.blob('twice').data]).toEqual([2, 4, 6, 8, 10, 12]);
    await net.close();
  });

  it('a parameter is its top; a silenced blob is no output', async () => {
    const net = await netOf(`${inputs([1, 3])}
      layer { name: "p" type: "Parameter" top: "p" parameter_param { shape { dim: 1 dim: 3 } } }
      layer { name: "quiet" type: "Silence" bottom: "b0" }`);
    net.layer('p').layer.blobs[0].set([4, 5, 6]);
    await net.forward();
    expect(net.outputNames).toEqual(['p']);
    expect([...net.outputs[0].data]).toEqual([4, 5, 6]);
    await net.close();
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { Blob } from '../../../lib/blob/index.js';
import { Net } from '../../../lib/graph/index.js';
import { create, parseText, type BlobProto, type Init, type NetParameter } from '../../../lib/proto/index.js';
import { fakes } from './fake-layers.js';

const open: Net[] = [];
afterEach(async () => {
  for (const net of open.splice(0)) await net.close();
});

async function make(layers: string, seed = 0): Promise<Net> {
  const net = await Net.create({
    param: parseText(
      'NetParameter',
      `name: "n" layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } } ${layers}`,
    ),
    registry: fakes,
    threads: 1,
    keep: 'all',
    seed,
  });
  open.push(net);
  return net;
}

const weigh = (name: string, bottom: string, rest = '') =>
  `layer { name: "${name}" type: "Weigh" bottom: "${bottom}" top: "${name}" ${rest} }`;
const gaussian = 'inner_product_param { weight_filler { type: "gaussian" std: 1 } }';

function weights(blobs: Record<string, Init<BlobProto>[]>): NetParameter {
  return create('NetParameter', {
    layer: Object.entries(blobs).map(([name, list]) => ({ name, blobs: list })),
  });
}

const row = (...data: number[]): Init<BlobProto> => ({ shape: { dim: [1, data.length] }, data });

describe('copyTrainedLayers', () => {
  it('copies by name and reports', async () => {
    const net = await make(weigh('a', 'x') + weigh('b', 'a'));
    const report = await net.copyTrainedLayers(
      weights({ a: [row(1, 2, 3)], b: [row(4, 5, 6)], z: [row(1)] }),
    );
    expect(report).toEqual({ copied: ['a', 'b'], ignored: ['z'], unfilled: [] });
    net.blob('x').set([1, 1, 1, 1, 1, 1]);
    await net.forward();
    expect([...net.blob('b').data]).toEqual([4, 10, 18, 4, 10, 18]);
  });

  it('takes the four dimensions of old files and doubles', async () => {
    const net = await make(weigh('a', 'x'));
    const old = { num: 1, channels: 1, height: 1, width: 3 };
    await net.copyTrainedLayers(weights({ a: [{ ...old, double_data: [1, 2, 3] }] }));
    expect([...net.params[0].blob.data]).toEqual([1, 2, 3]);
    await expect(
      net.copyTrainedLayers(weights({ a: [{ num: 3, channels: 1, height: 1, width: 1, data: [1, 2, 3] }] })),
    ).rejects.toThrow(/\(3, 1, 1, 1\)/);
  });

  it('refuses misfits of shape, count and length, allowed or not', async () => {
    const net = await make(weigh('a', 'x'));
    const copy = (blobs: Init<BlobProto>[]) =>
      net.copyTrainedLayers(weights({ a: blobs }), { allowMissing: true });
    await expect(copy([row(1, 2)])).rejects.toThrow(
      /layer 'a': blobs\[0\].*weights have shape \(1, 2\), the net has \(1, 3\).*another name/,
    );
    await expect(copy([row(1, 2, 3), row(1)])).rejects.toThrow(/have 2 blobs.*net has 1/);
    await expect(copy([{ shape: { dim: [1, 3] }, data: [1, 2] }])).rejects.toThrow(
      /layer 'a'.*3 values.*has 2/,
    );
  });

  it('lists what both sides lack, unless allowed', async () => {
    const net = await make(weigh('a', 'x') + weigh('b', 'a', gaussian));
    const other = weights({ a: [row(1, 2, 3)], fire9: [row(1, 2, 3)] });
    await expect(net.copyTrainedLayers(other)).rejects.toThrow(/1 layers.*'b'.*does not have: 'fire9'/);
    expect((await net.copyTrainedLayers(other, { allowMissing: true })).unfilled).toEqual(['b']);
    await net.forward();
    expect(net.params[1].blob.data.every((value) => value !== 0)).toBe(true);
  });
});

describe('parameters', () => {
  it('are filled by the seed', async () => {
    const values: number[][] = [];
    for (const seed of [1, 1, 2]) {
      const net = await make(weigh('a', 'x', gaussian), seed);
      await net.forward();
      values.push([...net.params[0].blob.data]);
    }
    expect(values[0]).toEqual(values[1]);
    expect(values[0]).not.toEqual(values[2]);
  });

  it('have the values of their fillers for whoever looks before the first pass', async () => {
    const two = weigh('a', 'x', gaussian) + weigh('b', 'a', 'param { name: "w" }' + gaussian);
    const run = await make(two + weigh('c', 'b', 'param { name: "w" }' + gaussian), 3);
    await run.forward();
    const expected = run.params.map(({ blob }) => [...blob.data]);
    expect(expected.flat().every((value) => value !== 0)).toBe(true);
    const looks: ((blob: Blob) => Iterable<number>)[] = [
      (blob) => blob.data,
      (blob) => blob.toArray(),
      (blob) => {
        const other = new Blob('other', blob.shape);
        other.shareData(blob);
        return other.data;
      },
    ];
    for (const look of looks) {
      const net = await make(two + weigh('c', 'b', 'param { name: "w" }' + gaussian), 3);
      expect(net.params.map(({ blob }) => [...look(blob)])).toEqual(expected);
    }
    const net = await make(two + weigh('c', 'b', 'param { name: "w" }' + gaussian), 3);
    const written = net.toProto().layer.filter(({ blobs }) => blobs.length > 0);
    expect(written.map(({ blobs }) => [...blobs[0].data])).toEqual(expected);
    expect(net.params.map(({ blob }) => blob.version)).toEqual([0, 0, 0]);
  });

  it('are still missing from weights after a look at what their fillers gave', async () => {
    const net = await make(weigh('a', 'x', gaussian) + weigh('b', 'a', gaussian));
    expect(net.params[0].blob.data[0]).not.toBe(0);
    await expect(net.copyTrainedLayers(weights({ b: [row(1, 2, 3)] }))).rejects.toThrow(
      "without values: 'a'",
    );
  });

  it('set by hand stay', async () => {
    const net = await make(weigh('a', 'x', gaussian) + weigh('b', 'a', gaussian));
    net.params[0].blob.set([0, 0, 0]);
    const before = [...net.params[1].blob.data];
    net.params[1].blob.data[1] = 7;
    await net.forward();
    expect([...net.params[0].blob.data]).toEqual([0, 0, 0]);
    expect([...net.params[1].blob.data]).toEqual([before[0], 7, before[2]]);
    expect((await net.copyTrainedLayers(weights({}))).unfilled).toEqual([]);
  });

  it('with a filler that does not exist are an error of their layer', async () => {
    const net = await make(weigh('a', 'x', 'inner_product_param { weight_filler { type: "magic" } }'));
    for (let i = 0; i < 2; i++)
      expect(() => net.params[0].blob.data).toThrow(/^layer 'a': unknown filler 'magic'/);
    await expect(net.forward()).rejects.toThrow("unknown filler 'magic'");
  });

  it('of one name share values and multipliers', async () => {
    const net = await make(
      weigh('a', 'x', 'param { name: "w" }') +
        weigh('b', 'a', 'param { name: "w" lr_mult: 3 decay_mult: 0 }'),
    );
    expect(net.params[1].owner).toBe(net.params[0]);
    expect(net.params.map((param) => [param.lrMult, param.decayMult])).toEqual([
      [3, 0],
      [3, 0],
    ]);
    await net.copyTrainedLayers(weights({ a: [row(2, 3, 4)] }));
    net.blob('x').set([1, 1, 1, 1, 1, 1]);
    await net.forward();
    expect([...net.blob('b').data.slice(0, 3)]).toEqual([4, 9, 16]);
  });

  it('of one name must agree', async () => {
    const named = (rest: string) => `param { name: "w" ${rest} }`;
    await expect(
      make(weigh('a', 'x', named('lr_mult: 1')) + weigh('b', 'a', named('lr_mult: 2'))),
    ).rejects.toThrow(/layer 'b': param.lr_mult: 'w' is shared with layer 'a'/);
    const other = `layer { name: "in2" type: "Input" top: "y" input_param { shape { dim: 1 dim: 4 } } }`;
    await expect(make(other + weigh('a', 'x', named('')) + weigh('b', 'y', named('')))).rejects.toThrow(
      /layer 'b'.*its shape there is \(1, 3\), here \(1, 4\)/,
    );
    await expect(make(weigh('a', 'x', 'param { } param { }'))).rejects.toThrow(/given 2 times/);
  });

  it('may stand in the prototxt, and go into a message', async () => {
    const inline = 'blobs { shape { dim: 1 dim: 3 } data: [1, 2, 3] }';
    const net = await make(weigh('a', 'x', inline));
    expect([...net.params[0].blob.data]).toEqual([1, 2, 3]);
    const message = net.toProto();
    expect(message.name).toBe('n');
    expect(message.layer.map((layer) => layer.name)).toEqual(['in', 'a']);
    const copy = await make(weigh('a', 'x'));
    await copy.copyTrainedLayers(message);
    expect([...copy.params[0].blob.data]).toEqual([1, 2, 3]);
  });
});

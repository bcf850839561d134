// Values made in another realm (a context of node:vm; Electron and test runners have them too) are as good as our own.
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { registry } from '../../../lib/data/index.js';
import { isError, NetError } from '../../../lib/errors/index.js';
import { Net } from '../../../lib/graph/index.js';
import { Layer } from '../../../lib/graph/layer.js';
import { kernels } from '../../../lib/index.js';
import type { TrimFormat } from '../../../lib/native/index.js';
import {
  blobData,
  create,
  decode,
  encode,
  equals,
  has,
  parseText,
  type NetParameter,
} from '../../../lib/proto/index.js';
import { isTypedArray } from '../../../lib/util/typed-array.js';

const foreign = <T>(script: string): T => runInNewContext(script) as T;

describe('values of another realm', () => {
  it('are not instances of our classes', () => {
    expect(foreign<unknown>('new Float32Array(1)') instanceof Float32Array).toBe(false);
    expect(isTypedArray(foreign('new Float32Array(1)'), Float32Array)).toBe(true);
    expect(isTypedArray(foreign('new Float64Array(1)'), Float32Array)).toBe(false);
    expect(isTypedArray(foreign('({ [Symbol.toStringTag]: "Float32Array" })'), Float32Array)).toBe(false);
    expect(isError(foreign('new TypeError("x")'))).toBe(true);
  });

  it('are taken by kernels', async () => {
    const format = foreign<TrimFormat>('({ kind: "dynamicFixedPoint", bitWidth: 8, fractionalLength: 2 })');
    const values = foreign<Float32Array>('Float32Array.of(0.1, 0.2)');
    expect([...(await kernels.trim(values, format))]).toEqual([0, 0.25]);
    const { data } = kernels.convFixedSync({
      src: foreign('Uint8Array.of(129, 130)'),
      shape: foreign('[1, 1, 2, 1]'),
      weights: foreign('Int8Array.of(3)'),
      weightsShape: foreign('[1, 1, 1, 1]'),
      bias: foreign('Int32Array.of(1)'),
      range: [1, 2],
      srcFractionalLength: 0,
      weightsFractionalLength: 0,
      output: { bitWidth: 8, fractionalLength: 0 },
    });
    expect([...data]).toEqual([4, 7]);
  });

  it('are taken by messages', () => {
    const blob = create('BlobProto', { shape: { dim: foreign('[2]') }, data: foreign('[1, 2]') });
    blob.data = foreign('Float32Array.of(1, 2)');
    expect(has(blob, 'data')).toBe(true);
    blob.diff = foreign('new Float32Array(0)');
    expect(has(blob, 'diff')).toBe(false);
    expect([...blobData(blob)]).toEqual([1, 2]);
    const again = decode('BlobProto', foreign(`Uint8Array.from([${encode(blob).join()}])`));
    expect(equals(again, create('BlobProto', { shape: { dim: [2] }, data: [1, 2] }))).toBe(true);
    expect(create('Datum', { data: foreign('Uint8Array.of(7)') }).data).toHaveLength(1);
  });

  it('are taken by nets, and so are errors', async () => {
    class Odd extends Layer {
      bottoms = foreign<object>('({ exact: 1 })');
      tops = {};
      reshape(): void {}
      forward(): void {
        throw foreign<Error>('new Error("odd")');
      }
    }
    const param: NetParameter = parseText(
      'NetParameter',
      `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }
       layer { name: "odd" type: "Odd" bottom: "x" }`,
    );
    const all = { ...registry, Odd: (...given: ConstructorParameters<typeof Odd>) => new Odd(...given) };
    const net = await Net.create({ param, registry: all, threads: 1, keep: foreign('["x"]') });
    net.blob('x').set(foreign('Float32Array.of(3, 4)'));
    expect([...net.blob('x').data]).toEqual([3, 4]);
    const failed = net.forward();
    await expect(failed).rejects.toThrow(NetError);
    await expect(failed).rejects.toThrow("layer 'odd': odd");
    await net.close();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNetHdf5, readWeights } from '../../../lib/proto/index.js';
import { isHdf5File, NumbersDataset, readNumbers, withHdf5File } from '../../../lib/util/index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * A file that h5py made, behind a block of 512 bytes as MATLAB's files have one: numbers of every type in big-endian
 * order, float16 in both, a long double, booleans, an empty dataset, LZF (in data/fc/0 too), n-bit integers, and a
 * virtual dataset of a file that is not there.
 */
const h5py = gunzipSync(
  Buffer.from(
    'H4sIAAAAAAACA+1cMWzbVhC9T0oJLbuwnKa16rotCwStWgSFW8iA0RYRnViukBqxkNiFhwC13cSRUMEKCqU1GqXW0MEFOnj0' +
      'mNGjhwwZNWb02LFjxoweCqhH/vukSJmUnDixLd0DDsf7PP3Pfzx+3r//RQBGP+Ov/MzsW4mxhCMYBsQgKU9okjUJ2z/4ZfX7' +
      'ZeKC+BbxXU2VC+dcispHqP6g3sLNXA5Ad+sPtjMRk9wkOTkq+X2SDz71t8/oLeRz0wWb75H8WPnfu9F+tn1Nynu5aL30LLWT' +
      '97crIC59Wyg5LbkmC3TwPS6HyCnnpyPmMJUlIRGHxDCdj4PhnNc0WaFBV6YLPHQwFLDExoneh1s35mcEnIclkovvReur8WFj' +
      'LFpP3Y+tc9F6afX8j0TrTalx4+0OfkW88E60nhp31PD4qjg2v/r4qH41dCr9qt0e8nqFEL5+e/1POqpJQ/3E6NDvlOGvQWG7' +
      'r8fVxUl40nyIpqrBf5OLT+BhEwQeQn0TmnXYbNpv/HrL+90+bvirOF8PyFlUaOBzkj2QBQ2/yRvNrDcWgwWinjXjYJmaqUMd' +
      '6TFSA+lfU4/BNN5iPDaRJpAspALSMtJ90t9C2kbaod/uIu0hPaV6niHtI/0j64TnSC+QDuz6rwLE8NhAGkKy27qIlEIap3Yv' +
      'IaWRLtM1ZJCmkL6l65lByiPN0bUtIC0h3abrvINURCrTNVeRNkxd1K72efeb+xoHNgwGg3HW4i7oNu4aO1Nx10vbYwDcODza' +
      'HuNkj1hv20N0aw+zP+wxoHpodrDHJbKH0fP+0Z09LveHPQZUD60O9sgYhyciTvc8trhSXlP8x9W7cKX0pVN+5QHx0lckEy9l' +
      'SCZemiKZ+BqVr0m5XFm/Z/PVSqXsyL87zcF6pVos4alfS79UH6yUYX21VLXL76xUV1puk2tNmd+KwYTK+1yI7pel+MVovQLx' +
      'pVS0nspn74z3aVwhun0OZs7Uc3B0e6j83kfuODlqwOhmx/zeQsh4udUj9si6/pEZhExT72SP2yF+crbsIVy9gD1gnnpWAGsY' +
      'LJVbC7dHuSfs0e4fabmuo0FbXnh2eu6WvfyzcHMxp4wYbp9ayHzlpPPj5yLtYQXeR966U4fxQ5c1DpL9hHKwR/Z53X2P2nXE' +
      'hde+ay9Ne/qh13RLEL/0Wu1hrxfb+eNm2IJxAH8Yh7+3Y5wCYDAYDAajZ9EeTxoqytOOFC+1xYthgcfOqbaHzHMY7lU+0/zz' +
      'i+C+KRU+mXp0vWpWsRHvkA9Ss473o/VU1L37QbSemvUXvo7WqxN//km0npoNWZ+9WlweOo/t2s+kRWN64fPWO3SB7ogt/fn3' +
      '4M9ez04W312bnxMtjqD86ToEJrD3Kut3vyhOykSc3nJCWas1MycCM+DawW+jgfs/zGMcg8FgMBgMBoPBYDAYbwr2f8Ne9n88' +
      'skz+L8lbn9RofXLKtz4Zd/IfhrufxwhkDlT96l9OLeuVy994qu4ib3s+xToWe4StU4atO9YSfjloLwaDwWAwGL0H+R0MEfod' +
      'jEZexTOMfoT6DobaXafWW/dzfr21nwBawnDIv2a/TH3Pfsl+2e6XxYDjTcDx+qXcx+B+LAVeBPYxhH3XhRGct5/a/cXLc17T' +
      'b2x/cdCvjOvsI8eZ/wjbp/1owC8rf+N92gwGg8Fg9C7+B86TDv2QVgAA',
    'base64',
  ),
);

const numbersIn = (path: string, name: string) => withHdf5File(path, 'r', (file) => readNumbers(file, name));

describe('numbers of every type', () => {
  it.each([
    ['i1', 'b', Int8Array.of(-128, 127)],
    ['u1', 'B', Uint8Array.of(0, 255)],
    ['i2', 'h', Int16Array.of(-32768, 32767)],
    ['u2', 'H', Uint16Array.of(0, 65535)],
    ['i4', 'i', Int32Array.of(-(2 ** 31), 2 ** 24)],
    ['u4', 'I', Uint32Array.of(0, 2 ** 31)],
    ['i8', 'q', BigInt64Array.of(-(2n ** 62n), 7n)],
    ['u8', 'Q', BigUint64Array.of(2n ** 63n, 7n)],
    ['f4', 'f', Float32Array.of(1.5, -2.25)],
    ['f8', 'd', Float64Array.of(1.5, -2.25)],
  ] as const)('%s, of both byte orders', async (type, letter, data) => {
    const path = join(folder, 'types.h5');
    await withHdf5File(path, 'w', (file) => {
      file.create_dataset({ name: 'x', data: data as Float32Array, shape: [2], dtype: `<${letter}` });
    });
    const expected = Array.from(data as Float32Array, Number);
    expect([...(await numbersIn(path, 'x')).data]).toEqual(expected);
    writeFileSync(path, h5py);
    expect([...(await numbersIn(path, `>${type}`)).data]).toEqual(expected);
  });

  it('float16, behind a block of the user', async () => {
    const path = join(folder, 'h5py.h5');
    writeFileSync(path, h5py);
    expect(isHdf5File(path)).toBe(true);
    for (const name of ['half', 'half_be']) {
      const { shape, data } = await numbersIn(path, name);
      expect(shape).toEqual([3, 2]);
      expect([...data]).toEqual([0.333251953125, -0.25, 65504, 2 ** -24, Infinity, -Infinity]);
    }
  });
});

describe('what cannot be read is refused before it is', () => {
  it.each([
    ['lzf', /h5py\.h5: lzf: is stored with the filter lzf \(32000\), which is not read; store it with gzip/],
    ['nbit', /nbit: holds numbers of 12 bits in 2 bytes, which are not read/],
    ['virtual', /virtual: is a virtual dataset/],
    ['long', /long: floats of 128 bits are not read; store them as float32/],
    ['bool', /bool: does not hold numbers but an enumeration/],
    ['nothing', /nothing: is empty/],
    ['data', /data: no such dataset/],
  ])('%s', async (name, message) => {
    const path = join(folder, 'h5py.h5');
    writeFileSync(path, h5py);
    await expect(numbersIn(path, name)).rejects.toThrow(message);
  });

  it('in weights too', async () => {
    const path = join(folder, 'weights.h5');
    writeFileSync(path, h5py);
    await expect(readWeights(path)).rejects.toThrow(
      /weights\.h5: data\/fc\/0: is stored with the filter lzf/,
    );
  });

  it('a folder', async () => {
    await expect(readNetHdf5(folder)).rejects.toThrow(/is a folder, not a file/);
  });
});

describe('rows', () => {
  it.each([
    ['in one piece', null],
    ['in chunks of many rows', [64, 2, 8, 8]],
    ['in chunks of parts of a row', [1, 1, 8, 8]],
  ])('of a dataset stored %s are read from anywhere to anywhere', async (_how, chunks) => {
    const path = join(folder, 'rows.h5');
    const size = 2 * 64 * 64;
    const data = Float32Array.from({ length: 100 * size }, (_, i) => i % 65521);
    await withHdf5File(path, 'w', (file) => {
      const compression = chunks ? { chunks, compression: 'gzip' as const } : {};
      file.create_dataset({ name: 'x', data, shape: [100, 2, 64, 64], dtype: '<f4', ...compression });
    });
    await withHdf5File(path, 'r', (file) => {
      const dataset = NumbersDataset.open(file, 'x');
      expect(dataset.rowSize).toBe(size);
      const target = new Float32Array(4 * size).fill(-1);
      dataset.read(97, 3, target, size);
      expect(target.subarray(0, size).every((value) => value === -1)).toBe(true);
      expect(
        Buffer.compare(Buffer.from(target.buffer, 4 * size), Buffer.from(data.buffer, 97 * 4 * size)),
      ).toBe(0);
      expect(Buffer.compare(Buffer.from(dataset.readAll().buffer), Buffer.from(data.buffer))).toBe(0);
    });
  });

  it('of chunks that were never written are the fill value, however small the file', async () => {
    const path = join(folder, 'sparse.h5');
    await withHdf5File(path, 'w', (file) => {
      const data = Float32Array.of(5, 6);
      const chunks = [1, 2];
      const made = file.create_dataset({
        name: 'x',
        data,
        shape: [1, 2],
        maxshape: [null, 2],
        dtype: '<f4',
        chunks,
      });
      made.resize([10_000_000, 2]);
    });
    await withHdf5File(path, 'r', (file) => {
      const dataset = NumbersDataset.open(file, 'x');
      const target = new Float32Array(4);
      dataset.read(0, 1, target);
      dataset.read(9_999_999, 1, target, 2);
      expect([...target]).toEqual([5, 6, 0, 0]);
      expect(() => dataset.readAll()).toThrow(
        /sparse\.h5: x: shape \[10000000, 2\] is more than the file can hold/,
      );
    });
  });

  it('larger than what is read at once are put together from parts', async () => {
    // A row of 24 MB, of 2 x 3 planes of 4 MB.
    const path = join(folder, 'large.h5');
    const data = Float32Array.from({ length: 12 * 2 ** 20 }, (_, i) => i % 1048573);
    await withHdf5File(path, 'w', (file) => {
      file.create_dataset({ name: 'x', data, shape: [2, 2, 3, 2 ** 20], dtype: '<f4' });
    });
    const { data: read } = await numbersIn(path, 'x');
    expect(Buffer.compare(Buffer.from(read.buffer), Buffer.from(data.buffer))).toBe(0);
  });
});

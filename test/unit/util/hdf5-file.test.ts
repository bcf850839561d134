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
 * order, float16 in both, a long double, booleans, an empty dataset, LZF (in data/fc/0 too), and a virtual dataset of a file that is not there.
 */
const h5py = gunzipSync(
  Buffer.from(
    'H4sIAAAAAAACA+1bPWzbVhC+R0oJ/VNYTtNadd2WBYJWLYLCLWTAKIyITqzUKNxaaGzAQ4DGaeJIqGAFhdMajVNrVDePHjt6' +
      'zJAho0aPHTN29JjRQwH1yHdHiZRJyWniH+k+4HA8vuN75Mfj43v3SABBP+PP+bmbbw2OD3qGZUECUrrA0KpBKHwXtPn4O6QV' +
      '6RrpPYP3K68sTftHqf6w39IP+TyA6dcfbmcyobVNdmpM64dkH34abF/QW5jPzxZc/ZTsXY6/d+PjrPA1xclMvN8BlVu5YLsK' +
      'kjq2FdsZrQ29w4TA43KEnfYOHbVHaF8KBpMwOELlSbC8csPQFVp0ZqbCTQ/DISY2T/U+3Pp+cU7BRVghu/hevD/3D5vj8X58' +
      'P2oX4v0y/PyPxvtNc7/xdoe4Il14J96P+x3uHv8vXltcfXzcuBo+k3HVzoc+X6VU4Lqb15/yXFMWH2J1uO60FayBsdPX/ery' +
      'FDxrPEaqtuDfqeVn8LgBCjehug2NKmw33Dd+teX97m7Xg1VcrIbsHDrU8TnJHeod9SDl9Uau2ReDA6qas5Pg2IZtQhXlL5Q6' +
      'yj+2mYBZvMW4baNMojgoBZQ7KA/Jv4ayg7JLx+6hPEV5TvXso/yN8kLXCQcoL1EO3fqvAyRw20IZRnHbuoySRpmgdq+gZFCu' +
      '0jlkUaZRZuh85lDmURbo3JZQVlBu03neQymilOmcN1A2bVNtXe/zy5dRjUAgEJzDcRd0O+4aP1fjrlfmYwD8cXg8HxPER6K3' +
      '+VDd8mH3Bx8DfIV2Bz6uEB9Wz8dHd3xc7Q8+BvgKnQ58ZK2jExFnex5bXC2vsf7x7n24VvrS23/tEenSV2STLmXJJl2aJpv0' +
      'Gu1f03a5sv7A1XcrlbJn/+41B+uVjWIJi34t/bLxaLUM91Y3Vltuj593Cua3EjDJeZ9L8dflsL4c71cgvZKO9+N89u5En44r' +
      'VLfPwdy5eg6Ozwfn9z7y+8kxC8a2O+b3liL6y1qP8JHz4yM7BNmG2YmP2xFxcr74UL5fiA9Y5JUOcEbA4dxaNB/lnuCjPT4y' +
      'el3HgLa88M3ZhVt5cNcYl/NMYjQ/WxHzldPOj1+I5cMJvY+a604d+g9T1zhE/CkOsCduuem/R906kqrZvs+XYTz/sNl0yyB+' +
      '5Y3y4a4Xu/njRtSCcQh/WEe/txOSAhAIBAKBoGfRPp60eJRnHGu81DZejBp47J5pPvg7Hp4t7xvB+UX4uykePtlmfL08q9hM' +
      'dsgH8azj/Xg/HnXvfRDvVyV98Em8H89ynM9OZlweOY/tOs40owmz8HnrHbpEd8S1DmpDPzcZOF18c2NxQbUEAsfTtxCawD6o' +
      'rN//ojilE3JmSwGzpVoiSoVmwFuHv42Fsj4j0scJBAKBQCAQCAQCgUBwUtD/carI/zirtD5tCVV9Cf6Pk1eHOV+4MxP0W/tJ' +
      'a876zL/huHwxK3Epcdkel5nQ/8D8XeDrikudh/d/9oWXoTx81H/JgiDO8Pcx9o1m0yf2fUw4rvYdiZFXfW8c5zujJwNBm2mX' +
      '74wEAoFAIOhd/Af+bAvOUE0AAA==',
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

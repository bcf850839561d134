// A folder of lib/ imports only folders before it; core knows neither Node nor the binding.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

function files(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** What each folder of lib/ may import besides itself; a later row may import all that an earlier one may. */
const mayImport: Record<string, string[]> = { errors: [], util: ['errors'] };
mayImport.proto = ['errors', 'util'];
mayImport.native = ['errors', 'util'];
mayImport.kernels = ['errors', 'util', 'native'];
mayImport.blob = ['errors', 'util', 'proto', 'native'];
mayImport.formats = [...mayImport.blob, 'blob'];
mayImport.graph = [...mayImport.formats, 'formats'];
mayImport.layers = [...mayImport.graph, 'graph'];
mayImport.data = [...mayImport.layers, 'layers'];
mayImport.solver = [...mayImport.layers, 'layers'];
mayImport.engine = [...mayImport.layers, 'layers', 'data', 'solver'];
mayImport.quantize = [...mayImport.engine, 'engine'];
mayImport.export = [...mayImport.quantize, 'quantize'];
mayImport.report = [...mayImport.export, 'export'];
mayImport.cli = [...mayImport.report, 'report'];

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)].map((m) => m[1]);
}

describe('lib', () => {
  const sources = files('lib', /\.ts$/);

  it('has only folders that have a place in the order', () => {
    const folders = new Set(
      sources
        .map((f) => f.split(sep))
        .filter((p) => p.length > 2)
        .map((p) => p[1]),
    );
    expect([...folders].filter((f) => !(f in mayImport))).toEqual([]);
  });

  it('imports only folders above', () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const parts = file.split(sep);
      if (parts.length < 3) continue; // lib/index.ts: the public surface, sees everything
      for (const target of imports(file)) {
        const to = relative(root, resolve(root, dirname(file), target)).split(sep);
        if (to[0] !== 'lib' || to.length < 3) {
          wrong.push(`${file} -> ${target}`);
          continue;
        }
        if (to[1] !== parts[1] && !mayImport[parts[1]].includes(to[1])) wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('prints in one place only', () => {
    const printing = sources.filter((file) =>
      /console\.|process\.std(out|err)\.write/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(printing.filter((f) => f !== join('lib', 'cli', 'output.ts'))).toEqual([]);
  });
});

describe('native', () => {
  it('keeps Node out of core and loops over elements out of the binding', () => {
    const wrong = files('native/core', /\.(h|cpp)$/).filter((file) =>
      /#include\s*[<"](napi|node_api|binding\/)/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('gives the C interface and the benchmarks core and nothing else, and core no knowledge of them', () => {
    const includes = (file: string) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/#include "([^"]+)"/g)].map((m) => m[1]);
    const users = [...files('native/c_api', /\.(h|cpp)$/), ...files('native/bench', /\.(h|cpp)$/)];
    const foreign = users.flatMap((file) =>
      includes(file)
        .filter((target) => target.includes('/') && !target.startsWith('core/'))
        .map((target) => `${file} -> ${target}`),
    );
    expect(foreign).toEqual([]);
    const knowing = [...files('native/core', /\.(h|cpp)$/), ...files('native/binding', /\.(h|cpp)$/)].filter(
      (file) => includes(file).some((target) => /ristretto\.h|c_api/.test(target)),
    );
    expect(knowing).toEqual([]);
    expect(
      files('native/core', /\.(h|cpp)$/).filter((file) => includes(file).some((t) => /bench\//.test(t))),
    ).toEqual([]);
    expect(includes('native/include/ristretto.h')).toEqual([]);
  });

  it('keeps cuda out of core, and Node and the binding out of cuda', () => {
    const wrong = [...files('native/core', /\.(h|cpp)$/), ...files('native/cuda', /\.(h|cpp|cu)$/)].filter(
      (file) =>
        (file.startsWith(join('native', 'core'))
          ? /#include\s*[<"](cuda|\.\.\/cuda)/
          : /#include\s*[<"](napi|node_api|binding\/)/
        ).test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it("gives kernels no word of CUDA's own: the executor would not know it", () => {
    const foreign =
      /threadIdx|blockIdx|__shared__|__global__|__syncthreads|__shfl|<<<|\basm\b|cuda_runtime|cuda[A-Z]\w+\(/;
    const wrong = files('native/cuda/op', /\.(h|cu)$/).filter((file) =>
      foreign.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps what a header of core includes below it', () => {
    const wrong: string[] = [];
    for (const file of files('native/core/format', /\.h$/))
      for (const [, target] of readFileSync(join(root, file), 'utf8').matchAll(/#include "([^"]+)"/g))
        if (/op\/|cpu\/|dispatch|context/.test(target)) wrong.push(`${file} -> ${target}`);
    expect(wrong).toEqual([]);
  });
});

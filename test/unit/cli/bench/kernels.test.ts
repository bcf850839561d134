// What is measured and how it is reported; never how fast.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchKernelsCommand } from '../../../../lib/cli/commands/bench/kernels.js';
import type { ConvolutionRow } from '../../../../lib/cli/commands/bench/convolutions.js';
import type { SpanRow } from '../../../../lib/cli/commands/bench/spans.js';
import { Output } from '../../../../lib/cli/output.js';
import { parseFlags } from '../../../../lib/cli/parse-flags.js';
import { commonOptions } from '../../../../lib/cli/options.js';
import { benchConvolutionFixed, cpuFeatures } from '../../../../lib/native/index.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(
    join(folder, 'net.txt'),
    'a 3 9 9 20 3 3 2 1 1\nb 8 5 5 8 3 3 1 1 8\nc 70 1 1 10 1 1 1 0 1\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function bench<Row>(...flags: string[]): Promise<{ rows: Row[]; [field: string]: unknown }> {
  const json = join(folder, 'result.json');
  const { values } = parseFlags([...flags, '--seconds=0', '--threads=2', `--json=${json}`], {
    ...benchKernelsCommand.options,
    ...commonOptions,
  });
  await benchKernelsCommand.run({
    values,
    positional: [],
    output: new Output('quiet', 'ristretto'),
    signal: new AbortController().signal,
  } as unknown as Parameters<typeof benchKernelsCommand.run>[0]);
  return JSON.parse(readFileSync(json, 'utf8')) as { rows: Row[] };
}

describe('bench kernels', () => {
  it.each(['8', '16'])('times every kernel of this machine on every problem, %s bits', async (bits) => {
    const result = await bench<ConvolutionRow>(
      `--shapes=${join(folder, 'net.txt')}`,
      `--bits=${bits}`,
      '--images=2',
    );
    expect(result).toMatchObject({ op: 'conv', bits: Number(bits), images: 2, threads: 2 });
    for (const [layer, multiplications] of Object.entries({ a: 13500, b: 1800, c: 700 })) {
      const rows = result.rows.filter((row) => row.layer === layer);
      const features = cpuFeatures();
      const expected = Object.entries({
        avx512_vnni: features.avx512Vnni,
        avx_vnni: features.avxVnni,
        avx512: features.avx512,
        avx2: features.avx2,
        neon_dot: features.neonDot,
        portable: true,
        ref: true,
      }).flatMap(([kernel, present]) => (present ? [kernel] : []));
      // Grouped layers have kernels of their own in front.
      const names = rows.map(({ kernel }) => kernel);
      expect(names.filter((kernel) => !kernel.startsWith('depthwise'))).toEqual(expected);
      if (layer !== 'b') expect(names).toEqual(expected);
      for (const row of rows) {
        expect(row.definition).toBe(row.kernel === 'ref');
        expect(row.operations).toBe(2 * multiplications * (row.definition ? 1 : 2));
        expect(row.seconds).toBeGreaterThan(0);
        expect(row.peak === null).toBe(row.instruction === null);
        if (/^avx/.test(row.kernel)) expect(row.peak).toBeGreaterThan(1e6);
      }
    }
  });

  it('limits itself to an instruction set and to a kernel', async () => {
    const net = `--shapes=${join(folder, 'net.txt')}`;
    const portable = await bench<ConvolutionRow>(net, '--isa=portable');
    expect(portable.rows.length).toBeGreaterThan(0);
    expect(
      portable.rows.map(({ kernel }) => kernel).filter((kernel) => /avx|vnni|neon/.test(kernel)),
    ).toEqual([]);
    const one = await bench<ConvolutionRow>(net, '--kernel=portable');
    expect(one.rows.map(({ kernel }) => kernel)).toEqual(['portable', 'portable', 'portable']);
    await expect(bench(net, '--kernel=vnni')).rejects.toThrow("is called 'vnni'");
  });

  it('times the trims of every format and the range analyses', async () => {
    const trims = await bench<SpanRow>('--op=trim', '--megabytes=0.04');
    expect(trims.rows).toHaveLength(9);
    const ranges = await bench<SpanRow>('--op=range', '--megabytes=0.04');
    expect(ranges.rows).toHaveLength(4);
    for (const { bytes, seconds, peak } of [...trims.rows, ...ranges.rows]) {
      expect(bytes).toBe(40000);
      expect(seconds).toBeGreaterThan(0);
      expect(peak).toBeGreaterThan(0);
    }
  });

  it('refuses problems that make no sense', () => {
    const problem = {
      channels: 3,
      height: 5,
      width: 5,
      kernels: 4,
      kernelH: 3,
      kernelW: 3,
      stride: 1,
      pad: 0,
      group: 1,
      images: 1,
      bits: 8 as const,
    };
    const options = { threads: 1, seconds: 0 };
    expect(() => benchConvolutionFixed({ ...problem, stride: 0 }, options)).toThrow(/stride/);
    return Promise.all([
      expect(benchConvolutionFixed({ ...problem, group: 2 }, options)).rejects.toThrow(
        'groups do not divide',
      ),
      expect(benchConvolutionFixed({ ...problem, kernelH: 6 }, options)).rejects.toThrow('padded input'),
      expect(benchConvolutionFixed({ ...problem, bits: 12 as 8 }, options)).rejects.toThrow('12 bits'),
    ]);
  });
});

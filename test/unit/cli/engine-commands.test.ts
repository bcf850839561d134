// plan, verify and bench model: what they write, and how they end; never how fast anything is.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { benchModelCommand } from '../../../lib/cli/commands/bench/model.js';
import { planCommand } from '../../../lib/cli/commands/plan.js';
import { verifyCommand } from '../../../lib/cli/commands/verify.js';
import type { Command } from '../../../lib/cli/command.js';
import { commonOptions } from '../../../lib/cli/options.js';
import { Output } from '../../../lib/cli/output.js';
import { parseFlags } from '../../../lib/cli/parse-flags.js';
import { planTables } from '../../../lib/cli/plan-tables.js';
import type { PlanDescription } from '../../../lib/engine/index.js';
import { Net } from '../../../lib/graph/index.js';
import { registry } from '../../../lib/data/index.js';
import { Phase, writeNetBinary } from '../../../lib/proto/index.js';
import { conv, fc, input, layer, parse, pool, relu } from '../engine/nets.js';

const layers = [
  input('x', 3, 2, 8, 8),
  conv('a', 'x', 4, 3),
  relu('a'),
  pool('p', 'a', 'kernel_size: 2 stride: 2'),
  conv('w', 'p', 4, 3, { in: '24.9' }),
  fc('f', 'w', 5),
  layer('s', 'Softmax', ['f']),
];

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engine-'));
  writeFileSync(join(folder, 'net.prototxt'), layers.join('\n'));
  writeFileSync(
    join(folder, 'legal.prototxt'),
    layers.join('\n').replace('bw_layer_in: 24', 'bw_layer_in: 16'),
  );
  const float = layers.map((text) =>
    text.replace(/(Convolution|Fc)Ristretto/, (_, type) => (type === 'Fc' ? 'InnerProduct' : type)),
  );
  writeFileSync(join(folder, 'float.prototxt'), float.join('\n'));
  writeFileSync(
    join(folder, 'unlowered.prototxt'),
    [layers[0], conv('a', 'x', 4, 3, { in: '24.9' })].join('\n'),
  );
  const net = await Net.create({ param: parse(...layers), phase: Phase.TEST, registry, threads: 1, seed: 4 });
  writeNetBinary(join(folder, 'net.caffemodel'), net.toProto());
  await net.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(
  command: Command,
  ...flags: string[]
): Promise<{ code: number; result: Record<string, unknown> }> {
  const json = join(folder, 'result.json');
  const given = [
    `--model=${join(folder, 'net.prototxt')}`,
    `--weights=${join(folder, 'net.caffemodel')}`,
    '--threads=2',
    `--json=${json}`,
    ...flags,
  ];
  const { values } = parseFlags(given, { ...command.options, ...commonOptions });
  const context = {
    values,
    positional: [],
    output: new Output('quiet', 'ristretto'),
    signal: new AbortController().signal,
  };
  const code = (await command.run(context as unknown as Parameters<typeof command.run>[0])) ?? 0;
  return { code, result: JSON.parse(readFileSync(json, 'utf8')) as Record<string, unknown> };
}

describe('plan', () => {
  it('writes the rows that it prints, for the batch that is asked for', async () => {
    const { result } = await run(planCommand, '--batch=5');
    const plan = result as unknown as PlanDescription;
    expect(plan.batch).toBe(5);
    const island = plan.rows.find((row) => row.layers[0] === 'w' && row.float !== null);
    expect(island?.float).toBe('input: 24 bits are more than 16');
    const text = planTables(plan);
    expect(text).toContain('a + relu_a');
    expect(text).toContain('float: input: 24 bits are more than 16');
    expect(text).toContain('batch 5');
    expect(plan.rows.filter(({ macs }) => macs > 0).length).toBe(2);
  });
});

describe('verify', () => {
  it.each([
    ['float.prototxt', 'has no quantised layers'],
    ['unlowered.prototxt', 'no layer of the net runs on integer codes'],
  ])('fails where there is nothing to verify: %s', async (file, said) => {
    const errors: string[] = [];
    const error = vi
      .spyOn(Output.prototype, 'error')
      .mockImplementation((message) => void errors.push(message));
    const { code, result } = await run(verifyCommand, `--model=${join(folder, file)}`, '--allow_missing');
    error.mockRestore();
    expect(code).toBe(1);
    expect(result.layers).toEqual([]);
    expect(errors).toEqual([expect.stringContaining(`nothing was compared: `)]);
    expect(errors[0]).toContain(said);
  });

  it.each(['simulate', 'ref'])('compares all codes of all batches: %s', async (against) => {
    const { code, result } = await run(verifyCommand, '--iterations=2', `--against=${against}`);
    expect(code).toBe(0);
    expect(result).toMatchObject({ against, iterations: 2, mismatches: 0, bugs: 0 });
    const rows = result.layers as { layer: string; step: string; codes: number; mismatches: number }[];
    expect(rows.map(({ layer: name, step }) => `${step} ${name}`)).toEqual([
      'quantise a',
      'convolution a',
      'maxPooling p',
      'quantise f',
      'convolution f',
    ]);
    expect(rows[1]).toMatchObject({ codes: 2 * 3 * 4 * 64, mismatches: 0, first: null });
    expect(result.unlowered).toEqual([{ layer: 'w', reason: 'input: 24 bits are more than 16' }]);
  });
});

describe('bench model', () => {
  it.each([
    ['auto', 'net.prototxt', 'simulate'],
    ['auto', 'legal.prototxt', 'integer'],
    ['simulate', 'legal.prototxt', 'simulate'],
  ])('engine %s on %s runs %s', async (engine, file, ran) => {
    const model = `--model=${join(folder, file)}`;
    const { result } = await run(
      benchModelCommand,
      model,
      `--engine=${engine}`,
      '--iterations=3',
      '--layers',
    );
    expect(result).toMatchObject({ engine: ran, batch: 3, threads: 2, iterations: 3 });
    expect(result.imagesPerSecond).toBeGreaterThan(0);
    const { least, p50, p90, p99 } = result.milliseconds as Record<string, number>;
    expect([p50, p90, p99].every((value, i, all) => value >= (all[i - 1] ?? least))).toBe(true);
    const names = (result.layers as { layer: string }[]).map((row) => row.layer);
    expect(names).toEqual(expect.arrayContaining(['a', 'p', 'f', 's']));
  });

  it('refuses a net that cannot run as asked', async () => {
    await expect(run(benchModelCommand, '--engine=integer')).rejects.toThrow("'w' (input: 24 bits");
  });
});

// What a user can get wrong with files: each case ends with a message that names the fault and an exit code,
// and none crashes.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, encode } from '../../lib/proto/index.js';
import { addon } from '../../lib/native/loader.js';
import { run } from './cli.js';
import { hasReference, reference } from './reference.js';

const small = join(reference, 'reference/small');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bad-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = join(small, 'net.prototxt');
const weights = join(small, 'trained.caffemodel');
const data = join(reference, 'reference/solver/small64_lmdb');

/** Writes a file into the test's folder. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

let runs = 0;

function quantise(more: Record<string, string>) {
  const flags = {
    model,
    weights,
    data,
    // Runs at once must not share an output.
    model_quantized: join(folder, `out${runs++}.prototxt`),
    trimming_mode: 'dynamic_fixed_point',
    iterations: '1',
    ...more,
  };
  return run('ristretto', [
    'quantize',
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ]);
}

/** The run must end by itself with code 1 and one sentence, not with a stack trace or a signal. */
async function expectMessage(more: Record<string, string>, ...patterns: RegExp[]): Promise<void> {
  const { code, signal, stderr } = await quantise(more);
  for (const pattern of patterns) expect(stderr).toMatch(pattern);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect([code, signal]).toEqual([1, null]);
}

const netText = () => readFileSync(model, 'utf8');

describe.skipIf(!hasReference).concurrent('bad input', { timeout: 60_000 }, () => {
  it('a truncated caffemodel', async () => {
    const path = file('truncated.caffemodel', readFileSync(weights).subarray(0, 9000));
    await expectMessage({ weights: path }, /truncated\.caffemodel/);
  });

  it('an empty caffemodel', async () => {
    await expectMessage({ weights: file('empty.caffemodel', '') }, /empty\.caffemodel.*empty/);
  });

  it('bit-flipped caffemodels', async () => {
    const bytes = readFileSync(weights);
    for (const at of [0, 1, 12, 40, 63]) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] ^= 0x55;
      const { code, signal, stderr } = await quantise({
        weights: file(`flipped${at}.caffemodel`, flipped),
        model_quantized: join(folder, `flipped${at}.prototxt`),
      });
      // Whatever the bit meant, the process ends by itself: with a result, or with a message.
      expect([signal, stderr.includes('    at ')], `byte ${at}: ${stderr}`).toEqual([null, false]);
      expect([0, 1]).toContain(code);
    }
  });

  it('a missing caffemodel and a missing prototxt', async () => {
    await expectMessage({ weights: join(folder, 'absent.caffemodel') }, /absent\.caffemodel/);
    await expectMessage({ model: join(folder, 'absent.prototxt') }, /absent\.prototxt/);
  });

  it('a prototxt with a syntax error', async () => {
    const path = file('syntax.prototxt', 'name: "x"\nlayer { name: "a" type "b" }\n');
    await expectMessage({ model: path }, /syntax\.prototxt:2:\d+/);
  });

  it('an unknown field', async () => {
    const path = file('unknown.prototxt', netText().replace('num_output', 'num_outputs'));
    await expectMessage({ model: path }, /unknown\.prototxt:\d+:\d+.*num_outputs/);
  });

  it('a net with a cycle', async () => {
    const path = file(
      'cycle.prototxt',
      'layer { name: "a" type: "ReLU" bottom: "y" top: "x" } layer { name: "b" type: "ReLU" bottom: "x" top: "y" }',
    );
    await expectMessage({ model: path }, /cycle/);
  });

  it('a missing bottom', async () => {
    const path = file('bottom.prototxt', netText().replace('bottom: "conv1"', 'bottom: "conv7"'));
    await expectMessage({ model: path }, /conv7/);
  });

  it('a blob of 10^12 elements', async () => {
    const path = file('huge.prototxt', netText().replace('num_output: 8', 'num_output: 1000000000'));
    await expectMessage({ model: path }, /conv1/);
  });

  it('10,000 nested braces', async () => {
    const path = file('nested.prototxt', `layer ${'{ include '.repeat(10000)}${'}'.repeat(10000)}`);
    await expectMessage({ model: path }, /nested\.prototxt/);
  });

  it('an unknown layer type, with the known ones', async () => {
    const path = file('type.prototxt', netText().replace('type: "Pooling"', 'type: "Poling"'));
    await expectMessage({ model: path }, /Poling/, /Pooling/);
  });

  it('a missing LMDB, an empty one, and a file that is none', async () => {
    await expectMessage({ data: join(folder, 'absent_lmdb') }, /absent_lmdb/);
    mkdirSync(join(folder, 'hollow_lmdb'));
    await expectMessage({ data: join(folder, 'hollow_lmdb') }, /hollow_lmdb/);
    mkdirSync(join(folder, 'garbage_lmdb'));
    writeFileSync(join(folder, 'garbage_lmdb/data.mdb'), Buffer.alloc(8192, 7));
    await expectMessage({ data: join(folder, 'garbage_lmdb') }, /garbage_lmdb/);
  });

  it('a net that is quantised already, and integer lengths that are none', async () => {
    await expectMessage({ model: join(small, 'dfp8.prototxt') }, /conv1.*quantised already/);
    await expectMessage(
      { integer_lengths: file('lengths.json', '[{"layer":"conv1"}]') },
      /lengths\.json.*conv1.*input/,
    );
  });

  it.each([
    ['a corrupt Datum', (value: Uint8Array) => value.subarray(0, 30)],
    [
      'a corrupt JPEG',
      (value: Uint8Array) => {
        const datum = decode('Datum', value);
        datum.data = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4);
        datum.encoded = true;
        return encode(datum);
      },
    ],
  ])('an LMDB with %s: the key is named; with --skip-bad it is skipped and counted', async (name, spoil) => {
    const out = join(folder, name.replaceAll(' ', '_'));
    const reader = new addon.LmdbReader(data);
    const records = await reader.read(0, reader.entries);
    reader.close();
    const bad = records[5].key;
    const writer = new addon.LmdbWriter(out);
    await writer.put(records.map(({ key, value }) => [key, key === bad ? spoil(value) : value] as const));
    writer.close();
    const args = ['test', `--model=${model}`, `--weights=${weights}`, `--data=${out}`, '--iterations=1'];
    const stopped = await run('caffe', args);
    expect([stopped.code, stopped.signal]).toEqual([1, null]);
    expect(stopped.stderr).toContain(bad);
    expect(stopped.stderr).not.toMatch(/^\s+at /m);
    const json = `${out}.json`;
    const skipped = await run('caffe', [...args, '--skip-bad', `--json=${json}`]);
    expect(skipped.stderr).toMatch(/1 record.* skipped/);
    expect(skipped.code).toBe(0);
    expect(JSON.parse(readFileSync(json, 'utf8')).skippedRecords).toBe(1);
  });
});

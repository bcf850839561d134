// docs/api.md: every option of the public functions stands there, and every block of code runs as it stands.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeImage, registry } from '../../lib/data/index.js';
import { integerNetOptionKinds } from '../../lib/engine/integer-net.js';
import { netOptionKinds } from '../../lib/graph/index.js';
import * as ristretto from '../../lib/index.js';
import { classifyKinds, quantizeKinds, scoreKinds } from '../../lib/quantize/option-kinds.js';
import { solverOptionKinds } from '../../lib/solver/option-kinds.js';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/api.md'), 'utf8');
const section = (title: string) => {
  const start = page.indexOf(`## ${title}\n`);
  expect(start, title).toBeGreaterThanOrEqual(0);
  const end = page.indexOf('\n## ', start);
  return page.slice(start, end < 0 ? undefined : end);
};

/** Names in backticks in the first column of a section's tables. */
function documented(title: string): Set<string> {
  const rows = section(title).matchAll(/^\| (`[^|]*`) \|/gm);
  return new Set([...rows].flatMap(([, cell]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)));
}

describe('options in docs/api.md', () => {
  it.each([
    ['Nets', Object.keys(netOptionKinds)],
    ['Training', Object.keys(solverOptionKinds)],
    ['Quantised nets on integer codes', ['keep', 'partBytes', 'retain', 'strict']],
    [
      'Scoring, quantising, classifying',
      [scoreKinds, quantizeKinds, classifyKinds].flatMap((kinds) => Object.keys(kinds)),
    ],
  ])('%s', (title, names) => {
    const rows = documented(title);
    expect(names.filter((name) => !rows.has(name))).toEqual([]);
  });

  it('name no option of nets that there is none of', () => {
    const known = new Set([...Object.keys(netOptionKinds), ...Object.keys(integerNetOptionKinds)]);
    expect([...documented('Nets')].filter((name) => !known.has(name))).toEqual([]);
    expect([...documented('Quantised nets on integer codes')].filter((name) => !known.has(name))).toEqual([]);
    const others = [scoreKinds, quantizeKinds, classifyKinds].flatMap((kinds) => Object.keys(kinds));
    expect(
      [...documented('Scoring, quantising, classifying')].filter((name) => !others.includes(name)),
    ).toEqual([]);
  });
});

/** The files that the page names, small. */
const conv = (quantised: boolean) => `layer { name: "conv" type: "Convolution${quantised ? 'Ristretto' : ''}"
  bottom: "data" top: "conv" ${
    quantised
      ? 'quantization_param { bw_layer_in: 8 bw_layer_out: 8 bw_params: 8 fl_layer_in: 4 fl_layer_out: 4 fl_params: 7 }'
      : ''
  }
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }`;
const tail =
  'layer { name: "out" type: "InnerProduct" bottom: "conv" top: "out" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }';
const data = `layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
    shape { dim: 2 dim: 3 dim: 6 dim: 6 } shape { dim: 2 }
    data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 } } }`;
const scored = `layer { name: "accuracy" type: "Accuracy" bottom: "out" bottom: "label" top: "accuracy" include { phase: TEST } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "out" bottom: "label" top: "loss" }`;
const texts = {
  'deploy.prototxt': `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 6 dim: 6 } } }
    ${conv(false)} ${tail}`,
  'train_val.prototxt': `${data} ${conv(false)} ${tail} ${scored}`,
  'quantized.prototxt': `${data} ${conv(true)} ${tail} ${scored}`,
};

let folder = '';
const before = process.cwd();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-docs-'));
  process.chdir(folder);
  const { create, Net, parseText, writeNetBinary, writeSolver } = ristretto;
  const net = await Net.create({
    param: parseText('NetParameter', texts['deploy.prototxt']),
    registry,
    threads: 1,
  });
  writeNetBinary('squeezenet_v1.0.caffemodel', net.toProto());
  await net.close();
  const rates = { base_lr: 0.01, lr_policy: 'fixed', max_iter: 2, test_iter: [1], test_interval: 2 };
  writeSolver('solver.prototxt', create('SolverParameter', { net: 'train_val.prototxt', ...rates }));
  const pixels = { data: new Uint8Array(8 * 8 * 3).fill(90), height: 8, width: 8, channels: 3 };
  writeFileSync('cat.png', await encodeImage(pixels, 'png'));
});
// A block writes one of them.
beforeEach(() => {
  const { parseText, writeNetText } = ristretto;
  for (const [file, text] of Object.entries(texts)) writeNetText(file, parseText('NetParameter', text));
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

const blocks = [...page.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code);

describe('code in docs/api.md', () => {
  it.each(blocks.map((code, i) => [i + 1, code] as const))('block %d', async (_number, code) => {
    const imports = [...code.matchAll(/^import \{([^}]*)\} from 'ristretto';\n/gm)];
    const names = imports.flatMap(([, list]) => list.split(',').map((name) => name.trim())).filter(Boolean);
    expect(names.filter((name) => !(name in ristretto))).toEqual([]);
    const body = code.replace(/^import .*;\n/gm, '');
    expect(body).not.toContain("from 'ristretto'");
    const run = new Function('console', ...names, `return (async () => {'use strict'; ${body}})()`) as (
      ...given: unknown[]
    ) => Promise<void>;
    await run({ log: () => undefined }, ...names.map((name) => (ristretto as Record<string, unknown>)[name]));
  });
});

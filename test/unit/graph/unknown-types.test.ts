import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { registry } from '../../../lib/data/index.js';
import { NetError } from '../../../lib/errors/index.js';
import { Net } from '../../../lib/graph/index.js';
import { quantize } from '../../../lib/quantize/index.js';
import { Solver } from '../../../lib/solver/index.js';
import {
  knownLayerTypes,
  missingLayerType,
  parseText,
  readNetText,
  readWeights,
  writeNetBinary,
} from '../../../lib/proto/index.js';

const folder = mkdtempSync(join(tmpdir(), 'types-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function failure(text: string, file = true): Promise<NetError> {
  const path = join(folder, 'net.prototxt');
  writeFileSync(path, text);
  const param = file ? readNetText(path) : parseText('NetParameter', text);
  const error: unknown = await Net.create({ param, registry, threads: 1 }).then(
    (net) => net.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NetError);
  return error as NetError;
}
const messageOf = async (text: string, file?: boolean) =>
  (await failure(text, file)).message.replaceAll(join(folder, 'net.prototxt'), 'F');

const input = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }\n';

describe('types of layers', () => {
  it('are those of the registry and those that are told as missing', () => {
    const missing = knownLayerTypes.filter((type) => missingLayerType(type) !== undefined);
    expect([...Object.keys(registry), ...missing].sort()).toEqual([...knownLayerTypes].sort());
  });

  it('that are not here are told all at once, with their lines', async () => {
    const net = `${input}layer { name: "n" type: "Normalize" bottom: "x" top: "n" }
layer { name: "p" type: "Permute" bottom: "nowhere" top: "p" }
layer { name: "d" type: "DepthwiseConvolution" bottom: "x" top: "d" }
layer { name: "q" type: "Permute" bottom: "n" top: "q" }
layer { name: "s" type: "Softmaks" bottom: "x" top: "s" }
layer { name: "t" type: "Python" include { phase: TRAIN } }`;
    const parts = (await messageOf(net)).split(/; (?=F:|known)/);
    expect(parts.slice(0, 4)).toEqual([
      "F:2: layer 'n': type: unknown layer type 'Normalize'; it belongs to weiliu89/caffe's ssd branch",
      "F:3: layer 'p': type: unknown layer type 'Permute'; it belongs to weiliu89/caffe's ssd branch (so is layer 'q' in line 5)",
      "F:4: layer 'd': type: unknown layer type 'DepthwiseConvolution'; it belongs to MobileNet's forks: " +
        'write type: "Convolution" with group: the number of input channels; parameters and weights are the same',
      "F:6: layer 's': type: unknown layer type 'Softmaks'; did you mean 'Softmax'?",
    ]);
    expect(parts[4]).toMatch(/^known types are .*Convolution/);
    expect(parts).toHaveLength(5);
    expect(await messageOf(net, false)).toMatch(
      /^layer 'n': .*; layer 'p': .*\(so is layer 'q' in line 5\); layer 'd': /,
    );
  });

  it.each(['LSTM', 'RNN', 'LSTMUnit', 'HDF5Output', 'Python', 'WindowData'])(
    'that Caffe has are not unknown: %s',
    async (type) => {
      expect(await messageOf(`${input}layer { name: "l" type: "${type}" bottom: "x" }`)).toMatch(
        new RegExp(`^F:2: layer 'l': type: ${type} is not supported \\(Caffe has it\\): [^;]*$`),
      );
    },
  );

  it('of old nets keep their lines', async () => {
    const old =
      'input: "x" input_dim: [1, 1, 2, 2]\nlayers { name: "w" type: WINDOW_DATA top: "a" top: "b" }';
    expect(await messageOf(old)).toMatch(/^F:2: layer 'w': type: WindowData is not supported/);
  });
});

describe('other errors of layers', () => {
  it('name the file and the line too', async () => {
    const error = await failure(`${input}layer { name: "r" type: "ReLU" bottom: "y" top: "r" }`);
    expect(error.message).toMatch(/net\.prototxt:2: layer 'r': bottom 'y': no layer produces it/);
    expect([error.file, error.line, error.layer]).toEqual([join(folder, 'net.prototxt'), 2, 'r']);
    expect(await messageOf(`${input}layer { name: "c" type: "Crop" bottom: "x" top: "c" }`)).toMatch(
      /^F:2: layer 'c': bottom: takes exactly 2/,
    );
  });

  it('name them in a pass', async () => {
    const path = join(folder, 'memory.prototxt');
    writeFileSync(
      path,
      '\nlayer { name: "m" type: "MemoryData" top: "x" top: "y"\n memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 } }',
    );
    const net = await Net.create({ param: readNetText(path), registry, threads: 1 });
    await expect(net.forward()).rejects.toThrow(`${path}:2: layer 'm': has no images`);
    await net.close();
  });
});

describe('errors of a whole net', () => {
  it('name its file, and those of weights theirs', async () => {
    expect(await messageOf('name: "none" layer { name: "t" type: "Data" include { phase: TRAIN } }')).toBe(
      'F: the net has no layers in this phase, level and stage',
    );
    const path = join(folder, 'net.prototxt');
    writeFileSync(path, `${input}layer { name: "p" type: "PReLU" bottom: "x" top: "p" }`);
    const net = await Net.create({ param: readNetText(path), registry, threads: 1 });
    const weights = join(folder, 'w.caffemodel');
    writeNetBinary(weights, parseText('NetParameter', 'layer { name: "q" blobs { data: 1 } }'));
    await expect(net.copyTrainedLayers(await readWeights(weights))).rejects.toThrow(
      `${weights}: the weights leave 1 layers of the net without values: 'p'`,
    );
    await net.close();
  });
});

describe('nets of several phases', () => {
  const net = `layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 } } }
layer { name: "a" type: "LSTM" bottom: "x" top: "a" include { phase: TRAIN } }
layer { name: "b" type: "Permute" bottom: "x" top: "b" include { phase: TEST } }
layer { name: "c" type: "Permute" bottom: "x" top: "c" include { stage: "other" } }
layer { name: "d" type: "Interp" bottom: "x" top: "d" }`;

  it.each<[string, (path: string) => Promise<unknown>]>([
    [
      'a solver',
      (path) =>
        Solver.create({
          param: parseText(
            'SolverParameter',
            `net: "${path}" test_iter: 1 test_interval: 1 base_lr: 1 lr_policy: "fixed"`,
          ),
          registry,
          threads: 1,
        }),
    ],
    [
      'a search',
      (model) =>
        quantize({
          model,
          weights: parseText('NetParameter', ''),
          trimmingMode: 'dynamic_fixed_point',
          iterations: 1,
        }),
    ],
  ])('are looked through before %s starts', async (_, start) => {
    const path = join(folder, 'phases.prototxt');
    writeFileSync(path, net);
    const error: unknown = await start(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetError);
    expect((error as NetError).message.replaceAll(path, 'F').split('; F:')).toEqual([
      expect.stringMatching(/^F:2: layer 'a': type: LSTM is not supported/),
      expect.stringMatching(/^5: layer 'd': type: unknown layer type 'Interp'/),
      expect.stringMatching(/^3: layer 'b': type: unknown layer type 'Permute'[^(]*$/),
    ]);
  });
});

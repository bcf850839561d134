// Every command that writes: what it reads, what it writes, and a folder in which it works.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { registry } from '../../lib/data/index.js';
import { Net } from '../../lib/graph/index.js';
import { LmdbWriter } from '../../lib/native/index.js';
import { create, encode, parseText, Phase, writeBlobProto, writeNetBinary } from '../../lib/proto/index.js';
import { Solver } from '../../lib/solver/index.js';

const SIZE = 8;
const CLASSES = 4;

/** Records of the database that compute_image_mean and split_database work on. */
const RECORDS = 2000;
/** Images that convert_imageset and draw_imageset store. */
export const IMAGES = 400;

/** A small net that learns and can be quantised; its data, mean and list lie in the folder. */
const trainVal = (folder: string) => `
  name: "small"
  layer { name: "data" type: "Data" top: "data" top: "label"
    transform_param { mean_file: ${JSON.stringify(join(folder, 'mean.binaryproto'))} scale: 0.01 }
    data_param { source: ${JSON.stringify(join(folder, 'db'))} batch_size: 20 } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
    convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc"
    inner_product_param { num_output: ${CLASSES} weight_filler { type: "xavier" } } }
  layer { name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy" include { phase: TEST } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }`;

const lengths = `quantization_param { precision: DYNAMIC_FIXED_POINT bw_layer_in: 8 bw_layer_out: 8 bw_params: 8
    fl_layer_in: 6 fl_layer_out: 6 fl_params: 6 }`;

/** The same net in dynamic fixed point, so that all of it runs on integer codes. */
const quantized = (folder: string) =>
  trainVal(folder)
    .replace('type: "Convolution"', `type: "ConvolutionRistretto" ${lengths}`)
    .replace('type: "InnerProduct"', `type: "FcRistretto" ${lengths}`);

const deploy = `
  layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: ${SIZE} dim: ${SIZE} } } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
    convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc"
    inner_product_param { num_output: ${CLASSES} weight_filler { type: "xavier" } } }`;

const solver = (folder: string) => `
  net: ${JSON.stringify(join(folder, 'train_val.prototxt'))}
  test_iter: 2 test_interval: 20 base_lr: 0.01 momentum: 0.9 lr_policy: "fixed" display: 20
  max_iter: 60 snapshot: 10 random_seed: 3 snapshot_prefix: ${JSON.stringify(join(folder, 'run'))}`;

/** The compressed form of a net's layers: every weight stored, one step apart. */
function compressed(net: Net): Buffer {
  const layers = net.layers.filter(({ layer }) => layer.learnable.length > 0).map(({ layer }) => layer.blobs);
  const counts = Buffer.alloc(4 * layers.length);
  layers.forEach(([weights], i) => counts.writeUInt32LE(weights.count, 4 * i));
  const parts = layers.map(([weights, biases]) => {
    const codebook = Float32Array.from({ length: 256 }, (_, i) => (i - 128) / 64);
    return Buffer.concat([
      Buffer.from(codebook.buffer),
      Buffer.alloc(4 * biases.count),
      Buffer.from(Array.from({ length: weights.count }, (_, i) => i % 256)),
      Buffer.alloc(Math.ceil(weights.count / 2)),
    ]);
  });
  return Buffer.concat([counts, ...parts]);
}

/** Fills a folder with what the commands read. */
export async function makeMaterials(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const records: [string, Uint8Array][] = Array.from({ length: RECORDS }, (_, i) => {
    const data = Uint8Array.from(
      { length: 3 * SIZE * SIZE },
      (_unused, k) => (i * 37 + k * (1 + (i % CLASSES))) % 256,
    );
    const datum = create('Datum', { channels: 3, height: SIZE, width: SIZE, data, label: i % CLASSES });
    return [String(i).padStart(8, '0'), encode(datum)];
  });
  const writer = new LmdbWriter(at('db'));
  await writer.put(records);
  writer.close();
  const mean = new Float32Array(3 * SIZE * SIZE).fill(128);
  writeBlobProto(
    at('mean.binaryproto'),
    create('BlobProto', { num: 1, channels: 3, height: SIZE, width: SIZE, data: mean }),
  );
  writeFileSync(at('train_val.prototxt'), trainVal(folder));
  writeFileSync(at('quantized.prototxt'), quantized(folder));
  writeFileSync(at('deploy.prototxt'), deploy);
  writeFileSync(at('solver.prototxt'), solver(folder));
  const image = {
    create: { width: 64, height: 64, channels: 3, background: { r: 9, g: 90, b: 200 } },
  } as const;
  writeFileSync(at('photo.png'), await sharp(image).png().toBuffer());
  writeFileSync(
    at('list.txt'),
    Array.from({ length: IMAGES }, (_, i) => `photo.png ${i % CLASSES}`).join('\n'),
  );
  writeFileSync(at('labels.txt'), 'a\nb\nc\nd\n');
  writeFileSync(at('shapes.txt'), 'one 8 6 6 8 3 3 1 1 1\n');
  const net = await Net.create({
    param: parseText('NetParameter', deploy),
    phase: Phase.TEST,
    registry,
    threads: 1,
    seed: 4,
  });
  writeNetBinary(at('small.caffemodel'), net.toProto());
  writeFileSync(at('compressed.net'), compressed(net));
  const lengths = ['conv', 'fc'].map((layer) => ({ layer, input: 8, output: 8, parameters: 1 }));
  writeFileSync(at('lengths.json'), JSON.stringify(lengths));
  await net.close();
  // A snapshot to go on from, of a prefix of its own.
  const param = parseText('SolverParameter', solver(folder));
  Object.assign(param, {
    snapshot_prefix: at('before'),
    snapshot: 0,
    max_iter: 5,
    display: 0,
    test_interval: 1000,
  });
  const before = await Solver.create({ param, registry, threads: 1 });
  await before.solve();
  await before.close();
  mkdirSync(at('folder'));
}

/** A command with its inputs and outputs by name in the folder; `OUT` in its arguments stands for the folder of outputs. */
export interface WriterCase {
  name: string;
  program: 'ristretto' | 'caffe' | 'convert_imageset' | 'compute_image_mean';
  /** Without the outputs. */
  args: (at: (name: string) => string) => string[];
  /** Files and folders that are read. */
  inputs: readonly string[];
  /** Flags that name outputs, or the place of a positional argument among them. */
  outputs: Readonly<Record<string, string>>;
  /** Outputs that are databases: nothing may be there, so they meet no file. */
  databases?: readonly string[];
  /** Files that are written beside the named ones, in the folder of outputs. */
  more?: readonly string[];
}

const net = ['train_val.prototxt', 'small.caffemodel', 'db', 'mean.binaryproto'] as const;
const model = (at: (name: string) => string) => [
  `--model=${at('train_val.prototxt')}`,
  `--weights=${at('small.caffemodel')}`,
  '--threads=1',
];

export const writerCases: readonly WriterCase[] = [
  {
    name: 'quantize',
    program: 'ristretto',
    args: (at) => ['quantize', ...model(at), '--trimming_mode=dynamic_fixed_point', '--iterations=20'],
    inputs: net,
    outputs: { '--model_quantized': 'q.prototxt', '--json': 'q.json' },
    more: ['q.prototxt.journal'],
  },
  {
    name: 'quantize by given lengths',
    program: 'ristretto',
    args: (at) => [
      'quantize',
      ...model(at),
      '--trimming_mode=minifloat',
      '--iterations=5',
      `--integer_lengths=${at('lengths.json')}`,
    ],
    inputs: [...net, 'lengths.json'],
    outputs: { '--model_quantized': 'q.prototxt', '--json': 'q.json' },
    more: ['q.prototxt.journal'],
  },
  {
    name: 'classify',
    program: 'ristretto',
    args: (at) => [
      'classify',
      `--model=${at('deploy.prototxt')}`,
      `--weights=${at('small.caffemodel')}`,
      `--labels=${at('labels.txt')}`,
      `--mean=${at('mean.binaryproto')}`,
      `--image=${at('photo.png')}`,
    ],
    inputs: ['deploy.prototxt', 'small.caffemodel', 'labels.txt', 'mean.binaryproto', 'photo.png'],
    outputs: { '--json': 'c.json' },
  },
  {
    name: 'test',
    program: 'caffe',
    args: (at) => ['test', ...model(at), '--iterations=5'],
    inputs: net,
    outputs: { '--json': 't.json' },
  },
  {
    name: 'time',
    program: 'caffe',
    args: (at) => ['time', ...model(at), '--iterations=5'],
    inputs: net,
    outputs: { '--json': 't.json' },
  },
  {
    name: 'train',
    program: 'caffe',
    args: (at) => [
      'train',
      `--solver=${at('solver.prototxt')}`,
      `--weights=${at('small.caffemodel')}`,
      '--threads=1',
    ],
    inputs: ['solver.prototxt', ...net],
    outputs: { '--json': 'r.json' },
  },
  {
    name: 'train from a snapshot',
    program: 'caffe',
    args: (at) => [
      'train',
      `--solver=${at('solver.prototxt')}`,
      `--snapshot=${at('before_iter_5.solverstate')}`,
    ],
    inputs: ['solver.prototxt', 'train_val.prototxt', 'db', 'before_iter_5.solverstate'],
    outputs: { '--json': 'r.json' },
  },
  {
    name: 'plan',
    program: 'ristretto',
    args: (at) => ['plan', ...model(at)],
    inputs: net,
    outputs: { '--json': 'p.json' },
  },
  {
    name: 'verify',
    program: 'ristretto',
    args: (at) => [
      'verify',
      `--model=${at('quantized.prototxt')}`,
      `--weights=${at('small.caffemodel')}`,
      '--iterations=1',
      '--threads=1',
    ],
    inputs: ['quantized.prototxt', ...net.slice(1)],
    outputs: { '--json': 'v.json' },
  },
  {
    name: 'bench model',
    program: 'ristretto',
    args: (at) => ['bench', 'model', ...model(at), '--iterations=2', '--warmup=1'],
    inputs: net,
    outputs: { '--json': 'b.json' },
  },
  {
    name: 'bench kernels',
    program: 'ristretto',
    args: (at) => ['bench', 'kernels', `--shapes=${at('shapes.txt')}`, '--threads=1', '--seconds=0'],
    inputs: ['shapes.txt'],
    outputs: { '--json': 'k.json' },
  },
  {
    name: 'convert_imageset',
    program: 'convert_imageset',
    args: (at) => [`${at('')}/`, at('list.txt')],
    inputs: ['list.txt', 'photo.png'],
    outputs: { DB_NAME: 'images', '--json': 'i.json' },
    databases: ['DB_NAME'],
  },
  {
    name: 'compute_image_mean',
    program: 'compute_image_mean',
    args: (at) => [at('db')],
    inputs: ['db'],
    outputs: { OUTPUT_FILE: 'm.binaryproto', '--json': 'm.json' },
  },
  {
    name: 'split_database',
    program: 'ristretto',
    args: (at) => ['split_database', at('db')],
    inputs: ['db'],
    outputs: { FIRST: 'first', SECOND: 'second', '--json': 's.json' },
    databases: ['FIRST', 'SECOND'],
  },
  {
    name: 'draw_imageset',
    program: 'ristretto',
    args: () => ['draw_imageset', `--train=${IMAGES}`, `--test=${IMAGES}`],
    inputs: [],
    outputs: { TRAIN_LMDB: 'first', TEST_LMDB: 'second', '--json': 'd.json' },
    databases: ['TRAIN_LMDB', 'TEST_LMDB'],
  },
  {
    name: 'convert deep_compression',
    program: 'ristretto',
    args: (at) => ['convert', 'deep_compression', `--model=${at('deploy.prototxt')}`, at('compressed.net')],
    inputs: ['deploy.prototxt', 'compressed.net'],
    outputs: { CAFFEMODEL: 'd.caffemodel', '--json': 'd.json' },
  },
];

/** The whole command line, with an output named otherwise where `instead` says so. */
export function commandLine(
  { args, outputs }: WriterCase,
  folder: string,
  out: string,
  instead: Readonly<Record<string, string>> = {},
): string[] {
  const named = Object.entries(outputs).map(([flag, name]) => {
    const path = instead[flag] ?? join(out, name);
    return flag.startsWith('--') ? `${flag}=${path}` : path;
  });
  return [...args((name) => join(folder, name)), ...named];
}

// One file of every kind that the programs write, made by the programs themselves, and some that lie about elsewhere.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeImage } from '../../lib/data/index.js';

export type Run = (program: string, ...args: string[]) => Promise<unknown>;

const size = 8;

/** Layers of a small net behind a blob 'data'. */
const layers = `
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param {
  num_output: 10 weight_filler { type: "xavier" } } }
`;

const trainVal = (train: string, test: string) => `name: "matrix"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  data_param { source: "${train}" batch_size: 2 backend: LMDB } transform_param { scale: 0.004 } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  data_param { source: "${test}" batch_size: 2 backend: LMDB } transform_param { scale: 0.004 } }
${layers}
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`;

const deploy = `name: "matrix"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: ${size} dim: ${size} } } }
${layers}
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }`;

const solver = (net: string, prefix: string, format: string) => `net: "${net}"
test_iter: 1 test_interval: 1 base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 max_iter: 2
snapshot: 1 snapshot_prefix: "${prefix}" snapshot_format: ${format}`;

/** Images of `classes` in folders of their own, and the list of them. */
async function drawImages(folder: string): Promise<string> {
  const lines: string[] = [];
  for (let label = 0; label < 2; label++) {
    mkdirSync(join(folder, 'images', `class${label}`), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const data = Uint8Array.from(
        { length: size * size * 3 },
        (_, at) => (at * 7 + 40 * i + 90 * label) % 256,
      );
      const name = `class${label}/${i}.png`;
      writeFileSync(
        join(folder, 'images', name),
        await encodeImage({ data, height: size, width: size, channels: 3 }, 'png'),
      );
      lines.push(`${name} ${label}`);
    }
  }
  return lines.join('\n') + '\n';
}

/** Makes all files below a folder; gives them by what they are. */
export async function makeFiles(folder: string, run: Run): Promise<Record<string, string>> {
  const at = (name: string) => join(folder, name);
  const write = (name: string, text: string) => {
    writeFileSync(at(name), text);
    return at(name);
  };
  const list = write('list.txt', await drawImages(folder));
  await run('convert_imageset', `${at('images')}/`, list, at('train_lmdb'), '--shuffle', '--seed=3');
  await run('convert_imageset', `${at('images')}/`, list, at('leveldb'), '--backend=leveldb');
  await run('ristretto', 'split_database', at('train_lmdb'), at('first_lmdb'), at('test_lmdb'));
  await run('compute_image_mean', at('train_lmdb'), at('mean.binaryproto'));
  const net = write('train_val.prototxt', trainVal(at('train_lmdb'), at('test_lmdb')));
  write('deploy.prototxt', deploy);
  // Snapshots go to the folder that a program runs in.
  write('solver.prototxt', solver(net, 'bin', 'BINARYPROTO'));
  write('hdf5_solver.prototxt', solver(net, 'hdf5', 'HDF5'));
  process.chdir(folder);
  await run(
    'caffe',
    'train',
    `--solver=${at('solver.prototxt')}`,
    '--threads=1',
    `--json=${at('train.json')}`,
  );
  await run('caffe', 'train', `--solver=${at('hdf5_solver.prototxt')}`, '--threads=1');
  const weights = `--weights=${at('bin_iter_2.caffemodel')}`;
  const search = ['--trimming_mode=dynamic_fixed_point', '--iterations=1', '--calibration_iterations=1'];
  await run(
    'ristretto',
    'quantize',
    `--model=${net}`,
    weights,
    `--model_quantized=${at('quantized.prototxt')}`,
    ...search,
    '--threads=1',
    `--json=${at('quantize.json')}`,
  );
  write('labels.txt', Array.from({ length: 10 }, (_, i) => `class ${i}\n`).join(''));
  await run(
    'ristretto',
    'plan',
    `--model=${at('quantized.prototxt')}`,
    weights,
    '--threads=1',
    `--json=${at('plan.json')}`,
  );
  write('shapes.txt', 'a 4 5 6 8 3 3 1 1 1\n');
  write('empty', '');
  write('text.csv', 'a,b\n1,2\n');
  mkdirSync(at('hollow'));
  const found = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return {
    ...Object.fromEntries(found.map((name) => [name, at(name)])),
    absent: at('absent'),
    image: at('images/class0/0.png'),
  };
}

/** What each flag or argument is meant to be given, by its name: a file of these, or the text itself. */
export const meant: Readonly<Record<string, string>> = {
  model: 'train_val.prototxt',
  weights: 'bin_iter_2.caffemodel',
  solver: 'solver.prototxt',
  'ROOTFOLDER/': 'images',
  LISTFILE: 'list.txt',
  INPUT_DB: 'train_lmdb',
  LMDB: 'train_lmdb',
  FILE: 'bin_iter_2.caffemodel',
  image: 'image',
  NET: 'squeezenet_v1.0',
  // Nothing answers there.
  from: 'http://127.0.0.1:1',
};

/** Of these commands another net is meant: that of an image alone, or a quantised one. */
export const meantModel: Readonly<Record<string, string>> = {
  classify: 'deploy.prototxt',
  plan: 'quantized.prototxt',
  verify: 'quantized.prototxt',
  'bench model': 'quantized.prototxt',
};

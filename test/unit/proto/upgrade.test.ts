import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  create,
  encode,
  parseText,
  printText,
  readNetBinary,
  readNetText,
  readSolver,
  upgradeNet,
  upgradeSolver,
} from '../../../lib/proto/index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function upgraded(text: string) {
  const warnings: string[] = [];
  const net = upgradeNet(parseText('NetParameter', text), {
    file: 'old.prototxt',
    onWarning: (w) => warnings.push(w),
  });
  return { text: printText(net), warnings };
}

/** The text as it is printed, whatever its layout here. */
const printed = (text: string) => printText(parseText('NetParameter', text));

describe('upgradeNet', () => {
  it('leaves a net of today as it is', () => {
    const text = 'name: "n" layer { name: "a" type: "ReLU" param { lr_mult: 1 } }';
    expect(upgraded(text)).toEqual({ text: printed(text), warnings: [] });
  });

  it('takes a V0 net through both steps, padding layer and all', () => {
    const { text, warnings } = upgraded(`
      name: "old" input: "label" input_dim: [1, 1, 1, 1]
      layers { layer { name: "data" type: "data" source: "db" meanfile: "m" batchsize: 2 cropsize: 3 mirror: true scale: 0.5 } top: "data" }
      layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
      layers {
        layer {
          name: "conv1" type: "conv" num_output: 4 kernelsize: 5 stride: 2 group: 2 biasterm: false
          weight_filler { type: "xavier" } blobs_lr: [1, 2] weight_decay: [1, 0] blobs { data: 1 }
        }
        bottom: "pad1" top: "conv1"
      }
      layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 3 pad: 1 } bottom: "conv1" top: "pool1" }
      layers { layer { name: "norm" type: "lrn" local_size: 3 alpha: 0.1 beta: 0.5 k: 2 num_output: 7 } bottom: "pool1" top: "norm" }
      layers { layer { name: "ip" type: "innerproduct" num_output: 10 } bottom: "norm" top: "ip" }`);
    expect(text).toBe(
      printed(`
      name: "old"
      layer { name: "input" type: "Input" top: "label" input_param { shape { dim: [1, 1, 1, 1] } } }
      layer {
        name: "data" type: "Data" top: "data" data_param { source: "db" batch_size: 2 }
        transform_param { scale: 0.5 mirror: true crop_size: 3 mean_file: "m" }
      }
      layer {
        name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 } blobs { data: 1 }
        convolution_param { num_output: 4 bias_term: false pad: 2 kernel_size: 5 group: 2 stride: 2 weight_filler { type: "xavier" } }
      }
      layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: AVE kernel_size: 3 pad: 1 } }
      layer { name: "norm" type: "LRN" bottom: "pool1" top: "norm" lrn_param { local_size: 3 alpha: 0.1 beta: 0.5 k: 2 } }
      layer { name: "ip" type: "InnerProduct" bottom: "norm" top: "ip" inner_product_param { num_output: 10 } }`),
    );
    expect(warnings).toEqual([
      "layer 'norm': parameter num_output is unknown for layer type lrn, dropped",
      'upgraded V0 layers (layers { layer { … } })',
      'upgraded V1 layers (layers { … })',
      'upgraded input fields (now an Input layer)',
    ]);
  });

  it('takes a V1 net to today, parameters of every kind', () => {
    const { text } = upgraded(`
      layers {
        name: "d" type: DATA top: "d" data_param { source: "s" scale: 0.5 mean_file: "m" crop_size: 7 mirror: true }
        include { phase: TEST }
      }
      layers {
        name: "c" type: CONVOLUTION bottom: "d" top: "c" param: ["w", "b"] blob_share_mode: [STRICT, PERMISSIVE]
        blobs_lr: 1 weight_decay: [0, 0, 3] convolution_param { num_output: 1 kernel_size: 1 }
      }
      layers { name: "l" type: SOFTMAX_LOSS bottom: "c" loss_weight: 0.5 loss_param { ignore_label: 1 } }
      layers { name: "s" type: SIGMOID_CROSS_ENTROPY_LOSS exclude { stage: "x" } }`);
    expect(text).toBe(
      printed(`
      layer {
        name: "d" type: "Data" top: "d" data_param { source: "s" } include { phase: TEST }
        transform_param { scale: 0.5 mean_file: "m" crop_size: 7 mirror: true }
      }
      layer {
        name: "c" type: "Convolution" bottom: "d" top: "c" convolution_param { num_output: 1 kernel_size: 1 }
        param { name: "w" share_mode: STRICT lr_mult: 1 decay_mult: 0 } param { name: "b" share_mode: PERMISSIVE decay_mult: 0 }
        param { decay_mult: 3 }
      }
      layer { name: "l" type: "SoftmaxWithLoss" bottom: "c" loss_weight: 0.5 loss_param { ignore_label: 1 } }
      layer { name: "s" type: "SigmoidCrossEntropyLoss" exclude { stage: "x" } }`),
    );
  });

  it('makes an Input layer of input fields', () => {
    expect(
      upgraded('input: "a" input: "b" input_dim: [1, 2, 3, 4, 5, 6, 7, 8] layer { name: "x" }').text,
    ).toBe(
      printed(
        'layer { name: "input" type: "Input" top: ["a", "b"] input_param { shape { dim: [1, 2, 3, 4] } shape { dim: [5, 6, 7, 8] } } } layer { name: "x" }',
      ),
    );
    expect(upgraded('input: "a" input_shape { dim: [1, 2] }').text).toBe(
      printed('layer { name: "input" type: "Input" top: "a" input_param { shape { dim: [1, 2] } } }'),
    );
    expect(upgraded('input: "a" layer { name: "x" }').text).toBe(printed('layer { name: "x" }'));
  });

  it('freezes the statistics of BatchNorm', () => {
    const { text } = upgraded(
      'layer { type: "BatchNorm" param { lr_mult: 1 } param {} param { name: "x" } }',
    );
    const frozen = 'lr_mult: 0 decay_mult: 0';
    expect(text).toBe(
      printed(
        `layer { type: "BatchNorm" param { ${frozen} } param { ${frozen} } param { name: "x" ${frozen} } }`,
      ),
    );
  });

  it.each([
    ['both kinds of layers', 'layer {} layers { name: "a" }', /both 'layer' and 'layers'/],
    ['too few dimensions', 'input: ["a", "b"] input_dim: [1, 2, 3, 4]', /2 inputs, but only 4 input_dim/],
    ['too few shapes', 'input: ["a", "b"] input_shape {}', /2 inputs, but only 1 input_shape/],
    [
      'an unknown V0 type',
      'layers { layer { name: "q" type: "convolve" } }',
      /layer 'q': type: 'convolve' is not/,
    ],
    [
      'a V0 bottom that nobody makes',
      'layers { layer { type: "relu" } bottom: "x" }',
      /bottom 'x' is made by no layer/,
    ],
    [
      'padding before another layer',
      'input: "x" layers { layer { type: "padding" pad: 1 } bottom: "x" top: "p" } layers { layer { type: "relu" } bottom: "p" }',
      /convolution or a pooling only, not relu/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => upgraded(text)).toThrow(message);
    expect(() => upgraded(text)).toThrow(/^old\.prototxt/);
  });
});

describe('upgradeSolver', () => {
  it.each([
    ['SGD', 'SGD'],
    ['NESTEROV', 'Nesterov'],
    ['ADAGRAD', 'AdaGrad'],
    ['RMSPROP', 'RMSProp'],
    ['ADADELTA', 'AdaDelta'],
    ['ADAM', 'Adam'],
  ])('turns solver_type %s into type %s', (old, name) => {
    const solver = upgradeSolver(parseText('SolverParameter', `solver_type: ${old}`));
    expect(printText(solver)).toBe(`type: "${name}"\n`);
  });

  it('refuses both', () => {
    expect(() => upgradeSolver(parseText('SolverParameter', 'solver_type: SGD type: "SGD"'))).toThrow(
      /both given/,
    );
  });
});

describe('files', () => {
  it('of nets are upgraded when read, text and binary', () => {
    const text =
      'layers { name: "c" type: CONVOLUTION blobs { num: 1 channels: 1 height: 1 width: 2 data: [1, 2] } }';
    writeFileSync(join(folder, 'v1.prototxt'), text);
    writeFileSync(join(folder, 'v1.caffemodel'), encode(parseText('NetParameter', text)));
    expect(readNetText(join(folder, 'v1.prototxt')).layer[0]!.type).toBe('Convolution');
    const layer = readNetBinary(join(folder, 'v1.caffemodel')).layer[0]!;
    expect([layer.type, [...layer.blobs[0]!.data]]).toEqual(['Convolution', [1, 2]]);
  });

  it('of solvers get a snapshot prefix', () => {
    const path = join(folder, 'solver.prototxt');
    writeFileSync(path, 'net_param { layers { type: RELU } }');
    const solver = readSolver(path);
    expect(solver.snapshot_prefix).toBe(join(folder, 'solver'));
    expect(solver.net_param!.layer[0]!.type).toBe('ReLU');
    mkdirSync(join(folder, 'snapshots'));
    writeFileSync(path, `snapshot_prefix: "${join(folder, 'snapshots')}"`);
    expect(readSolver(path).snapshot_prefix).toBe(join(folder, 'snapshots', 'solver'));
    writeFileSync(path, 'snapshot_prefix: "some/where"');
    expect(readSolver(path).snapshot_prefix).toBe('some/where');
  });

  it('that are missing are named', () => {
    expect(() => readNetText(join(folder, 'none'))).toThrow(/none: cannot be read \(ENOENT\)/);
    expect(() => readNetText(folder)).toThrow(/is a folder, not a net's definition/);
    expect(create('NetParameter').layer).toEqual([]);
  });
});

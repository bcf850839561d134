import { describe, expect, it } from 'vitest';
import {
  clear,
  clone,
  create,
  enumName,
  equals,
  has,
  LossParameter_NormalizationMode,
  Phase,
  PoolingParameter_PoolMethod,
  type Init,
  type LayerParameter,
} from '../../../lib/proto/index.js';

describe('create', () => {
  it('gives every unset field its default', () => {
    const quantization = create('QuantizationParameter');
    expect(quantization.bw_params).toBe(32);
    expect(quantization.exp_min).toBe(-8);
    expect(Object.keys(quantization)).toEqual([]);
    const layer = create('LayerParameter');
    expect(layer.name).toBe('');
    expect(layer.phase).toBe(Phase.TRAIN);
    expect(layer.convolution_param).toBeNull();
    expect(create('NetState').phase).toBe(Phase.TEST);
    expect(create('LossParameter').normalization).toBe(LossParameter_NormalizationMode.VALID);
    expect(create('BatchNormParameter').eps).toBe(Math.fround(1e-5));
  });

  it('gives every message repeated fields of its own', () => {
    const a = create('LayerParameter');
    a.bottom.push('data');
    expect(create('LayerParameter').bottom).toEqual([]);
    expect(create('BlobProto').data).toEqual(new Float32Array(0));
  });

  it('makes sub-messages of plain objects, with defaults of their own', () => {
    const layer = create('LayerParameter', {
      name: 'conv1',
      convolution_param: { num_output: 8, kernel_size: [3], weight_filler: { type: 'xavier' } },
      param: [{ lr_mult: 2 }],
    });
    expect(layer.convolution_param!.bias_term).toBe(true);
    expect(layer.convolution_param!.weight_filler!.variance_norm).toBe(0);
    expect(layer.param[0]!.decay_mult).toBe(1);
  });

  it('holds floats as float32', () => {
    expect(create('DropoutParameter', { dropout_ratio: 0.1 }).dropout_ratio).toBe(Math.fround(0.1));
  });

  it.each([
    ['an unknown field', { nmae: 'x' }],
    ['a wrong type', { name: 3 }],
    ['a number outside its type', { convolution_param: { num_output: -1 } }],
    ['a fraction', { convolution_param: { num_output: 1.5 } }],
    ['an unknown value of an enum', { phase: 7 }],
    ['a message of another type', { convolution_param: create('PoolingParameter') }],
  ])('refuses %s', (_, init) => {
    expect(() => create('LayerParameter', init as Init<LayerParameter>)).toThrow();
  });
});

describe('presence', () => {
  it('tells a set default from an unset field', () => {
    const pooling = create('PoolingParameter', { pool: PoolingParameter_PoolMethod.MAX });
    expect(has(pooling, 'pool')).toBe(true);
    expect(has(pooling, 'stride')).toBe(false);
    pooling.stride = 1;
    expect(has(pooling, 'stride')).toBe(true);
    clear(pooling, 'stride');
    expect(has(pooling, 'stride')).toBe(false);
    expect(pooling.stride).toBe(1);
  });

  it('counts null and empty lists as unset', () => {
    const layer = create('LayerParameter', { bottom: ['a'] });
    expect(has(layer, 'bottom')).toBe(true);
    clear(layer, 'bottom');
    expect(has(layer, 'bottom')).toBe(false);
    layer.pooling_param = null;
    expect(has(layer, 'pooling_param')).toBe(false);
  });
});

describe('clone', () => {
  const layer = create('LayerParameter', {
    name: 'a',
    blobs: [{ data: [1, 2] }],
    pooling_param: { stride: 2 },
  });

  it('copies deeply and keeps presence', () => {
    const copy = clone(layer);
    expect(equals(copy, layer)).toBe(true);
    copy.pooling_param!.stride = 3;
    copy.blobs[0]!.data[0] = 9;
    expect(layer.pooling_param!.stride).toBe(2);
    expect(layer.blobs[0]!.data[0]).toBe(1);
    expect(has(copy, 'phase')).toBe(false);
  });

  it('shares typed arrays where asked', () => {
    expect(clone(layer, { shareArrays: true }).blobs[0]!.data).toBe(layer.blobs[0]!.data);
  });
});

describe('equals', () => {
  it('sees a difference in presence alone', () => {
    const set = create('PoolingParameter', { stride: 1 });
    expect(equals(set, create('PoolingParameter'))).toBe(false);
    expect(equals(set, create('PoolingParameter', { stride: 1 }))).toBe(true);
  });
});

describe('enumName', () => {
  it('names values', () => {
    expect(enumName(Phase, 1)).toBe('TEST');
    expect(enumName(Phase, 9)).toBe('9');
  });
});

import { describe, expect, it } from 'vitest';
import {
  describeFormat,
  dynamicFixedPoint,
  innerRange,
  integerPowerOfTwo,
  layerFormatsOf,
  minifloat,
  representableRange,
  storageBits,
  sumsCodes,
} from '../../../lib/formats/index.js';
import {
  create,
  QuantizationParameter_Precision as Precision,
  QuantizationParameter_Rounding as RoundingScheme,
} from '../../../lib/proto/index.js';

describe('layerFormatsOf', () => {
  it('has the schema defaults where nothing is set', () => {
    const format = {
      kind: 'dynamicFixedPoint',
      bitWidth: 32,
      fractionalLength: 16,
      rounding: 'halfAwayFromZero',
    };
    for (const param of [null, create('QuantizationParameter')])
      expect(layerFormatsOf(param)).toEqual({ input: format, output: format, weights: format, bias: format });
  });

  it('reads the parts of a dynamic fixed point layer', () => {
    const param = create('QuantizationParameter', {
      bw_layer_in: 8,
      fl_layer_in: -3,
      bw_layer_out: 7,
      fl_layer_out: 2,
      bw_params: 4,
      fl_params: 5,
    });
    const formats = layerFormatsOf(param, { nearest: 'halfToEven' });
    expect(formats.input).toEqual(dynamicFixedPoint(8, 11, 'halfToEven'));
    expect(formats.output).toEqual(dynamicFixedPoint(7, 5, 'halfToEven'));
    expect(formats.weights).toEqual(dynamicFixedPoint(4, -1, 'halfToEven'));
    expect(formats.bias).toEqual(formats.weights);
  });

  it('takes the stochastic scheme over the nearest rule', () => {
    const param = create('QuantizationParameter', { rounding_scheme: RoundingScheme.STOCHASTIC });
    expect(layerFormatsOf(param, { nearest: 'halfToEven' }).input?.rounding).toBe('stochastic');
  });

  it('gives every part of a minifloat layer the one format', () => {
    const param = create('QuantizationParameter', {
      precision: Precision.MINIFLOAT,
      mant_bits: 3,
      exp_bits: 4,
    });
    const formats = layerFormatsOf(param);
    expect(formats).toEqual({
      input: minifloat(8, 4),
      output: minifloat(8, 4),
      weights: minifloat(8, 4),
      bias: minifloat(8, 4),
    });
  });

  it('leaves the bias alone in power-of-two mode', () => {
    const param = create('QuantizationParameter', {
      precision: Precision.INTEGER_POWER_OF_2_WEIGHTS,
      exp_min: -8,
      exp_max: -1,
      bw_layer_in: 8,
      fl_layer_in: 0,
    });
    const formats = layerFormatsOf(param);
    expect(formats.weights).toEqual(integerPowerOfTwo());
    expect(formats.bias).toBeNull();
    expect(formats.input).toEqual(dynamicFixedPoint(8, 8));
  });

  it.each([
    [{ bw_layer_in: 0 }, 'bw_layer_in'],
    [{ bw_params: 33 }, 'bw_params'],
    [{ fl_layer_out: -127 }, 'fl_layer_out'],
    [{ precision: Precision.MINIFLOAT, mant_bits: 32 }, 'mant_bits'],
    [{ precision: Precision.MINIFLOAT, exp_bits: 9 }, 'exp_bits'],
    [{ precision: Precision.INTEGER_POWER_OF_2_WEIGHTS, exp_min: 1, exp_max: 0 }, 'exp_min'],
  ])('names the layer and the field of %j', (fields, field) => {
    const param = create('QuantizationParameter', fields);
    expect(() => layerFormatsOf(param, { layer: 'conv1' })).toThrow(
      new RegExp(`layer 'conv1': quantization_param\\.${field}: `),
    );
  });
});

describe('a format', () => {
  it('knows the bits of its codes', () => {
    expect(storageBits(dynamicFixedPoint(7, 3))).toBe(7);
    expect(storageBits(minifloat(8, 4))).toBe(8);
    expect(storageBits(integerPowerOfTwo())).toBe(4);
    expect(storageBits(null)).toBe(32);
  });

  it('knows its range', () => {
    expect(representableRange(dynamicFixedPoint(8, 11))).toEqual({ least: -1024, greatest: 1016 });
    expect(representableRange(dynamicFixedPoint(8, 134))).toEqual({
      least: -3 * 2 ** 126,
      greatest: 3 * 2 ** 126,
    });
    expect(representableRange(minifloat(8, 4)).greatest).toBe(480);
    expect(representableRange(minifloat(16, 8)).greatest).toBe((2 - 2 ** -7) * 2 ** 127);
    expect(representableRange(integerPowerOfTwo())).toEqual({ least: -0.5, greatest: 0.5 });
  });

  it('knows the float32 values between the ends of its range', () => {
    expect(innerRange(dynamicFixedPoint(8, 1))).toEqual({
      least: -1 + 2 ** -24,
      greatest: 127 / 128 - 2 ** -24,
    });
    // The greatest code, 2^31 - 1, has the value 2^31 in float32.
    expect(innerRange(dynamicFixedPoint(32, 32)).greatest).toBe(2 ** 31 - 2 ** 7);
    // Codes -1 and 0: both are ends.
    expect(innerRange(dynamicFixedPoint(1, 1)).greatest).toBe(-(2 ** -149));
    expect(innerRange(minifloat(8, 4))).toEqual({ least: -480 + 2 ** -15, greatest: 480 - 2 ** -15 });
  });

  it('says itself in a line', () => {
    expect(describeFormat(dynamicFixedPoint(8, 3))).toBe('8 bits, fractional length 5');
    expect(describeFormat(dynamicFixedPoint(1, 1))).toBe('1 bit, fractional length 0');
    expect(describeFormat(minifloat(8, 4))).toBe('minifloat 1-4-3');
    expect(describeFormat(integerPowerOfTwo())).toBe('2^-8 .. 2^-1');
    expect(describeFormat(null)).toBe('float32');
  });
});

describe('sumsCodes', () => {
  const wide = dynamicFixedPoint(32, 3);
  const narrow = dynamicFixedPoint(16, 3);

  it('holds where both sides have fewer bits than a float32 mantissa', () => {
    expect(sumsCodes({ input: narrow, weights: narrow })).toBe(true);
    expect(sumsCodes({ input: minifloat(16, 5), weights: minifloat(16, 5) })).toBe(true);
    expect(sumsCodes({ input: narrow, weights: integerPowerOfTwo() })).toBe(true);
  });

  it('does not where one side is as fine as float32', () => {
    expect(sumsCodes({ input: wide, weights: narrow })).toBe(false);
    expect(sumsCodes({ input: narrow, weights: wide })).toBe(false);
    expect(sumsCodes({ input: null, weights: narrow })).toBe(false);
  });
});

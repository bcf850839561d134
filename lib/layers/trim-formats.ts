import type { Layer } from '../graph/layer.js';
import type { Rounding, TrimFormat } from '../native/index.js';
import {
  create,
  QuantizationParameter_Precision as Precision,
  QuantizationParameter_Rounding as RoundingScheme,
  type QuantizationParameter,
} from '../proto/index.js';

/** The number formats of a quantised layer; null: left as it is. */
export interface TrimFormats {
  input: TrimFormat | null;
  output: TrimFormat | null;
  weights: TrimFormat | null;
  bias: TrimFormat | null;
}

type NumberField =
  | 'bw_layer_in'
  | 'bw_layer_out'
  | 'bw_params'
  | 'fl_layer_in'
  | 'fl_layer_out'
  | 'fl_params'
  | 'mant_bits'
  | 'exp_bits'
  | 'exp_min'
  | 'exp_max';

/**
 * What a layer's `quantization_param` asks for, unset fields by the schema's defaults (width 32, fractional
 * length 16: saturating at +-32768). Errors name the layer and the field.
 */
export function readTrimFormats(layer: Layer, nearest: Rounding): TrimFormats {
  const param = layer.param.quantization_param ?? create('QuantizationParameter');
  const rounding = param.rounding_scheme === RoundingScheme.STOCHASTIC ? 'stochastic' : nearest;
  const number = (field: NumberField, least: number, most: number): number => {
    const value = param[field];
    if (value < least || value > most)
      layer.fail(`must be from ${least} to ${most}, not ${value}`, `quantization_param.${field}`);
    return value;
  };
  const fixedPoint = (width: NumberField, length: NumberField): TrimFormat => ({
    kind: 'dynamicFixedPoint',
    bitWidth: number(width, 1, 32),
    fractionalLength: number(length, -126, 126),
    rounding,
  });
  switch (param.precision) {
    case Precision.MINIFLOAT: {
      const format = minifloatOf(layer, param, rounding);
      return { input: format, output: format, weights: format, bias: format };
    }
    case Precision.INTEGER_POWER_OF_2_WEIGHTS: {
      const exponentMin = number('exp_min', -126, 127);
      const exponentMax = number('exp_max', -126, 127);
      if (exponentMin > exponentMax)
        layer.fail(`${exponentMin} exceeds exp_max, ${exponentMax}`, 'quantization_param.exp_min');
      return {
        input: fixedPoint('bw_layer_in', 'fl_layer_in'),
        output: fixedPoint('bw_layer_out', 'fl_layer_out'),
        weights: { kind: 'integerPowerOfTwo', exponentMin, exponentMax, rounding },
        bias: null,
      };
    }
    default: {
      const params = fixedPoint('bw_params', 'fl_params');
      return {
        input: fixedPoint('bw_layer_in', 'fl_layer_in'),
        output: fixedPoint('bw_layer_out', 'fl_layer_out'),
        weights: params,
        bias: params,
      };
    }
  }
}

/** The minifloat of `mant_bits` and `exp_bits`. */
export function minifloatOf(layer: Layer, param: QuantizationParameter, rounding: Rounding): TrimFormat {
  const { mant_bits: mantissaBits, exp_bits: exponentBits } = param;
  if (mantissaBits < 0 || mantissaBits > 31)
    layer.fail(`must be from 0 to 31, not ${mantissaBits}`, 'quantization_param.mant_bits');
  if (exponentBits < 1 || exponentBits > 8)
    layer.fail(`must be from 1 to 8, not ${exponentBits}`, 'quantization_param.exp_bits');
  return { kind: 'minifloat', mantissaBits, exponentBits, rounding };
}

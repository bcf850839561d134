import type { NetParameter, QuantizationParameter } from '../proto/index.js';
import { QuantizationParameter_Precision as Precision } from '../proto/index.js';
import type { QuantisableType } from './edit-net.js';
import type { LayerIntegerLengths, LayerRange } from './integer-lengths.js';

/** Values of a tensor that lie beyond what its format holds, of all values looked at. */
export interface SaturationCount {
  saturated: number;
  of: number;
}

/** Bytes that parameters take as float32, and packed at the chosen widths. */
export interface ParameterBytes {
  before: number;
  after: number;
}

/** A number format in words and figures. */
export interface FormatSummary {
  kind: 'float32' | 'dynamicFixedPoint' | 'minifloat' | 'integerPowerOfTwo';
  bitWidth: number;
  fractionalLength?: number;
  mantissaBits?: number;
  exponentBits?: number;
  exponentMin?: number;
  exponentMax?: number;
}

/** One quantised layer of the written net. */
export interface LayerReport {
  layer: string;
  type: QuantisableType;
  range: LayerRange | null;
  integerLengths: LayerIntegerLengths;
  formats: { input: FormatSummary; output: FormatSummary; weights: FormatSummary; bias: FormatSummary };
  /**
   * Of weights and biases: all of them. Of activations: the float net's over one TEST batch, read as the ranges
   * are, after layers in place have acted.
   */
  saturation: {
    weights: SaturationCount;
    biases: SaturationCount;
    inputs: SaturationCount;
    outputs: SaturationCount;
  };
  parameterBytes: ParameterBytes;
}

const FLOAT32: FormatSummary = { kind: 'float32', bitWidth: 32 };

/** The formats that a layer's quantization_param stands for. */
export function formatsOf(param: QuantizationParameter): LayerReport['formats'] {
  if (param.precision === Precision.MINIFLOAT) {
    const format: FormatSummary = {
      kind: 'minifloat',
      bitWidth: 1 + param.mant_bits + param.exp_bits,
      mantissaBits: param.mant_bits,
      exponentBits: param.exp_bits,
    };
    return { input: format, output: format, weights: format, bias: format };
  }
  const fixed = (bitWidth: number, fractionalLength: number): FormatSummary => ({
    kind: 'dynamicFixedPoint',
    bitWidth,
    fractionalLength,
  });
  const activations = {
    input: fixed(param.bw_layer_in, param.fl_layer_in),
    output: fixed(param.bw_layer_out, param.fl_layer_out),
  };
  if (param.precision === Precision.INTEGER_POWER_OF_2_WEIGHTS) {
    const exponents = param.exp_max - param.exp_min + 1;
    const weights: FormatSummary = {
      kind: 'integerPowerOfTwo',
      bitWidth: 1 + Math.ceil(Math.log2(exponents)),
      exponentMin: param.exp_min,
      exponentMax: param.exp_max,
    };
    return { ...activations, weights, bias: FLOAT32 };
  }
  const weights = fixed(param.bw_params, param.fl_params);
  return { ...activations, weights, bias: weights };
}

/**
 * Bounds beyond which a value saturates: half a step outside the least and greatest values of the format, because
 * what is nearer rounds to them. Null where nothing saturates.
 */
export function saturationBounds(format: FormatSummary): { low: number; high: number } | null {
  switch (format.kind) {
    case 'float32':
      return null;
    case 'dynamicFixedPoint': {
      const step = 2 ** -format.fractionalLength!;
      const codes = 2 ** (format.bitWidth - 1);
      return { low: (-codes - 0.5) * step, high: (codes - 0.5) * step };
    }
    case 'minifloat': {
      const bias = 2 ** (format.exponentBits! - 1) - 1;
      const top = 2 ** (2 ** format.exponentBits! - 1 - bias);
      const high = (2 - 2 ** -(format.mantissaBits! + 1)) * top;
      return { low: -high, high };
    }
    case 'integerPowerOfTwo': {
      // Rounding of the exponent: half a step up is a factor of sqrt(2).
      const high = 2 ** (format.exponentMax! + 0.5);
      return { low: -high, high };
    }
  }
}

/** Bytes of `count` values of a format, packed without gaps. */
export function packedBytes(format: FormatSummary, count: number): number {
  return Math.ceil((format.bitWidth * count) / 8);
}

/** Sums over layers. */
export function sumBytes(layers: readonly { parameterBytes: ParameterBytes }[]): ParameterBytes {
  return layers.reduce(
    (sum, { parameterBytes }) => ({
      before: sum.before + parameterBytes.before,
      after: sum.after + parameterBytes.after,
    }),
    { before: 0, after: 0 },
  );
}

/** The quantised layers of a net by name. */
export function quantisedLayers(net: NetParameter): Map<string, QuantizationParameter> {
  const layers = new Map<string, QuantizationParameter>();
  for (const layer of net.layer)
    if (layer.quantization_param && layer.type.endsWith('Ristretto'))
      layers.set(layer.name, layer.quantization_param);
  return layers;
}

import { NetError } from '../errors/index.js';
import type { Rounding, TrimFormat } from '../native/index.js';
import {
  create,
  QuantizationParameter_Precision as Precision,
  QuantizationParameter_Rounding as RoundingScheme,
  type QuantizationParameter,
} from '../proto/index.js';
import { LEAST_FRACTIONAL_LENGTH, MOST_FRACTIONAL_LENGTH } from './dynamic-fixed-point.js';
import { FLOAT32_MAX, nextBelow } from './exponent.js';

/** The number formats of a quantised layer; null: left as it is. */
export interface LayerFormats {
  input: TrimFormat | null;
  output: TrimFormat | null;
  weights: TrimFormat | null;
  bias: TrimFormat | null;
}

/** The fields of a QuantizationParameter that are plain numbers. */
type NumberField = {
  [Field in keyof QuantizationParameter]: Field extends 'precision' | 'rounding_scheme'
    ? never
    : QuantizationParameter[Field] extends number
      ? Field
      : never;
}[keyof QuantizationParameter];

export interface LayerFormatsOptions {
  /** The rule that NEAREST stands for; half away from zero where unset. */
  nearest?: Rounding;
  /** The layer's name, for errors. */
  layer?: string;
}

/**
 * What a layer's `quantization_param` asks for. Unset fields have the schema's defaults: width 32 and
 * fractional length 16, a format that saturates at +-32768. In power-of-two mode only the weights are such
 * powers: inputs and outputs are dynamic fixed point, biases stay float32. Errors name the layer and the field.
 */
export function layerFormatsOf(
  param: QuantizationParameter | null,
  { nearest = 'halfAwayFromZero', layer }: LayerFormatsOptions = {},
): LayerFormats {
  const source = param ?? create('QuantizationParameter');
  const rounding = source.rounding_scheme === RoundingScheme.STOCHASTIC ? 'stochastic' : nearest;
  const refuse = (message: string, field: string): never => {
    throw new NetError(message, { layer, field: `quantization_param.${field}` });
  };
  const number = (field: NumberField, least: number, most: number): number => {
    const value = source[field];
    return value >= least && value <= most
      ? value
      : refuse(`must be from ${least} to ${most}, not ${value}`, field);
  };
  const fixedPoint = (width: NumberField, length: NumberField): TrimFormat => ({
    kind: 'dynamicFixedPoint',
    bitWidth: number(width, 1, 32),
    fractionalLength: number(length, LEAST_FRACTIONAL_LENGTH, MOST_FRACTIONAL_LENGTH),
    rounding,
  });
  switch (source.precision) {
    case Precision.MINIFLOAT: {
      const format: TrimFormat = {
        kind: 'minifloat',
        mantissaBits: number('mant_bits', 0, 31),
        exponentBits: number('exp_bits', 1, 8),
        rounding,
      };
      return { input: format, output: format, weights: format, bias: format };
    }
    case Precision.INTEGER_POWER_OF_2_WEIGHTS: {
      const exponentMin = number('exp_min', -126, 127);
      const exponentMax = number('exp_max', -126, 127);
      if (exponentMin > exponentMax) refuse(`${exponentMin} exceeds exp_max, ${exponentMax}`, 'exp_min');
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

/** Whether a format keeps float32's own precision: its codes have more bits than a float32 mantissa. */
function asFineAsFloat(format: TrimFormat | null): boolean {
  return format === null || (format.kind === 'dynamicFixedPoint' && format.bitWidth > 24);
}

/**
 * Whether a layer's sums are of products of codes on both sides. A plain float32 sum of those is exact, or so
 * nearly that only a tie can tell, and whoever sums must not round in other places. With float32's own values
 * on one side every sum rounds anyway, and one order is as good as another.
 */
export function sumsCodes({ input, weights }: Pick<LayerFormats, 'input' | 'weights'>): boolean {
  return !asFineAsFloat(input) && !asFineAsFloat(weights);
}

/** Bits that one value takes when its codes are stored. */
export function storageBits(format: TrimFormat | null): number {
  switch (format?.kind) {
    case 'dynamicFixedPoint':
      return format.bitWidth;
    case 'minifloat':
      return 1 + format.exponentBits + format.mantissaBits;
    case 'integerPowerOfTwo':
      return 1 + Math.ceil(Math.log2(format.exponentMax - format.exponentMin + 1));
    default:
      return 32;
  }
}

/** The least and the greatest representable real: what a trim saturates at (docs/numerics.md). */
export function representableRange(format: TrimFormat): { least: number; greatest: number } {
  switch (format.kind) {
    case 'dynamicFixedPoint': {
      const unit = 2 ** -format.fractionalLength;
      // Codes whose value is beyond float32 do not occur.
      const finite = Math.floor(FLOAT32_MAX / unit);
      const codes = 2 ** (format.bitWidth - 1);
      return { least: -Math.min(codes, finite) * unit, greatest: Math.min(codes - 1, finite) * unit };
    }
    case 'minifloat': {
      const bias = 2 ** (format.exponentBits - 1) - 1;
      const top = Math.min(2 ** format.exponentBits - 1 - bias, 127);
      const greatest = Math.min((2 - 2 ** -format.mantissaBits) * 2 ** top, FLOAT32_MAX);
      return { least: -greatest, greatest };
    }
    case 'integerPowerOfTwo':
      return { least: -(2 ** format.exponentMax), greatest: 2 ** format.exponentMax };
  }
}

/** The least and the greatest float32 between the ends of a format's range: what no trim has clipped lies there. */
export function innerRange(format: TrimFormat): { least: number; greatest: number } {
  const { least, greatest } = representableRange(format);
  return { least: -nextBelow(-least), greatest: nextBelow(greatest) };
}

/** One line for tables and logs: `8 bits, fractional length 5`, `minifloat 1-4-3`, `2^-8 .. 2^-1`. */
export function describeFormat(format: TrimFormat | null): string {
  switch (format?.kind) {
    case 'dynamicFixedPoint':
      return `${format.bitWidth} bit${format.bitWidth === 1 ? '' : 's'}, fractional length ${format.fractionalLength}`;
    case 'minifloat':
      return `minifloat 1-${format.exponentBits}-${format.mantissaBits}`;
    case 'integerPowerOfTwo':
      return `2^${format.exponentMin} .. 2^${format.exponentMax}`;
    default:
      return 'float32';
  }
}

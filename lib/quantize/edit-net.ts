import { fractionalLength, mantissaBits } from '../formats/index.js';
import {
  clone,
  create,
  has,
  QuantizationParameter_Precision as Precision,
  type LayerParameter,
  type NetParameter,
  type QuantizationParameter,
} from '../proto/index.js';

/** The layer types that the search analyses and rewrites, with the type of their quantised form. */
const QUANTISED_TYPE = { Convolution: 'ConvolutionRistretto', InnerProduct: 'FcRistretto' } as const;

export type QuantisableType = keyof typeof QUANTISED_TYPE;

export function quantisableType(layer: LayerParameter): QuantisableType | null {
  return Object.hasOwn(QUANTISED_TYPE, layer.type) ? (layer.type as QuantisableType) : null;
}

/** A layer that is quantised already. */
export function isQuantised(layer: LayerParameter): boolean {
  return layer.type.endsWith('Ristretto');
}

/** The fields of quantization_param that a mode sets; what it leaves out keeps the schema's default. */
export type Quantisation = Partial<Omit<QuantizationParameter, '$type'>>;

/** The format of one layer, or null to leave the layer as it is. */
export type QuantisationOf = (layer: LayerParameter, type: QuantisableType) => Quantisation | null;

/** A copy of the net in which the layers that `quantisationOf` names a format for are quantised ones. */
export function quantiseNet(net: NetParameter, quantisationOf: QuantisationOf): NetParameter {
  const edited = clone(net, { shareArrays: true });
  edited.layer = edited.layer.map((layer) => {
    const type = quantisableType(layer);
    const quantisation = type && quantisationOf(layer, type);
    if (!type || !quantisation) return layer;
    layer.type = QUANTISED_TYPE[type];
    layer.quantization_param = create('QuantizationParameter', {
      ...fieldsOf(layer.quantization_param),
      ...quantisation,
    });
    return layer;
  });
  return edited;
}

/** A copy of the net whose dropout layers let everything through, so that ranges are those of the inference. */
export function withoutDropout(net: NetParameter): NetParameter {
  const edited = clone(net, { shareArrays: true });
  for (const layer of edited.layer)
    if (layer.type === 'Dropout') {
      layer.dropout_param ??= create('DropoutParameter');
      layer.dropout_param.dropout_ratio = 0;
    }
  return edited;
}

/** A width and a fractional length for the parameters, as the dynamic fixed point fields name them. */
export function fixedPointParameters(bitWidth: number, integerLength: number): Quantisation {
  return { bw_params: bitWidth, fl_params: fractionalLength(bitWidth, integerLength) };
}

/** The same for a layer's input and output. */
export function fixedPointActivations(
  bitWidth: number,
  inputIntegerLength: number,
  outputIntegerLength: number,
): Quantisation {
  return {
    bw_layer_in: bitWidth,
    bw_layer_out: bitWidth,
    fl_layer_in: fractionalLength(bitWidth, inputIntegerLength),
    fl_layer_out: fractionalLength(bitWidth, outputIntegerLength),
  };
}

export function minifloat(bitWidth: number, exponentBits: number): Quantisation {
  return {
    precision: Precision.MINIFLOAT,
    mant_bits: mantissaBits(bitWidth, exponentBits),
    exp_bits: exponentBits,
  };
}

export function integerPowerOfTwo(exponentMin: number, exponentMax: number): Quantisation {
  return { precision: Precision.INTEGER_POWER_OF_2_WEIGHTS, exp_min: exponentMin, exp_max: exponentMax };
}

/** The fields that are set, as a plain object. */
function fieldsOf(param: QuantizationParameter | null): Quantisation {
  if (!param) return {};
  return Object.fromEntries(
    Object.entries(param).filter(([field]) => has(param, field as keyof Quantisation)),
  ) as Quantisation;
}

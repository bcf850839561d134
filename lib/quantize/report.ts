import { storageBits, type LayerFormats, type TrimFormat } from '../formats/index.js';
import type { NetParameter, QuantizationParameter } from '../proto/index.js';
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

/** One quantised layer of the written net. */
export interface LayerReport {
  layer: string;
  type: QuantisableType;
  range: LayerRange | null;
  integerLengths: LayerIntegerLengths;
  /** Null stands for float32. */
  formats: LayerFormats;
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

/** Bytes of `count` values of a format, packed without gaps. */
export function packedBytes(format: TrimFormat | null, count: number): number {
  return Math.ceil((storageBits(format) * count) / 8);
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

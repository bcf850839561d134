import { layerFormatsOf, type TrimFormat } from '../formats/index.js';
import { Phase, type NetParameter } from '../proto/index.js';
import type { Evaluator } from './evaluator.js';
import type { LayerIntegerLengths, LayerRange } from './integer-lengths.js';
import { observedLayers, observerOf } from './observation.js';
import {
  packedBytes,
  quantisedLayers,
  saturationBounds,
  type LayerReport,
  type SaturationCount,
} from './report.js';
import { countOutside } from './tensor-statistics.js';

function count(values: Float32Array, format: TrimFormat | null): SaturationCount {
  const bounds = saturationBounds(format);
  return { saturated: bounds ? countOutside(values, bounds.low, bounds.high) : 0, of: values.length };
}

/**
 * The per-layer table of a finished search. Runs one TEST batch through the float net to count the activations
 * that the chosen formats saturate.
 */
export async function reportLayers(
  evaluator: Evaluator,
  float: NetParameter,
  quantised: NetParameter,
  known: { ranges: readonly LayerRange[] | null; integerLengths: readonly LayerIntegerLengths[] },
): Promise<LayerReport[]> {
  const params = quantisedLayers(quantised);
  const sources = await evaluator.openSources(float, Phase.TEST);
  const net = await evaluator.createNet(float, Phase.TEST, { sources });
  try {
    const layers = observedLayers(net).filter(({ layer }) => params.has(layer));
    const formats = new Map(
      layers.map(({ layer }) => [
        layer,
        layerFormatsOf(params.get(layer)!, { nearest: evaluator.options.rounding, layer }),
      ]),
    );
    const activations = new Map(
      layers.map(({ layer }) => [layer, {} as Record<'input' | 'output', SaturationCount>]),
    );
    await sources.forward();
    await net.forward({
      observe: observerOf(net, layers, async ({ layer }, part, blob, stream) => {
        await stream.sync();
        activations.get(layer)![part] = count(blob.toArray(), formats.get(layer)![part]);
      }),
    });
    return layers.map(({ layer, type, entry }) => {
      const { weights, bias } = formats.get(layer)!;
      const [weightBlob, biasBlob] = entry.layer.blobs;
      const biases = biasBlob?.data ?? new Float32Array(0);
      const total = weightBlob.count + biases.length;
      return {
        layer,
        type,
        range: known.ranges?.find((range) => range.layer === layer) ?? null,
        integerLengths: known.integerLengths.find((lengths) => lengths.layer === layer)!,
        formats: formats.get(layer)!,
        saturation: {
          weights: count(weightBlob.data, weights),
          biases: count(biases, bias),
          inputs: activations.get(layer)!.input,
          outputs: activations.get(layer)!.output,
        },
        parameterBytes: {
          before: 4 * total,
          after: packedBytes(weights, weightBlob.count) + packedBytes(bias, biases.length),
        },
      };
    });
  } finally {
    await net.close();
  }
}

import { layerFormatsOf } from '../formats/index.js';
import { Phase, type NetParameter } from '../proto/index.js';
import type { Evaluator } from './evaluator.js';
import type { LayerIntegerLengths, LayerRange } from './integer-lengths.js';
import { observedLayers, observerOf } from './observation.js';
import { packedBytes, quantisedLayers, type LayerReport, type SaturationCount } from './report.js';
import { TensorStatistics } from './tensor-statistics.js';

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
    const counted = layers.map((layer) => {
      const formats = layerFormatsOf(params.get(layer.layer)!, {
        nearest: evaluator.options.rounding,
        layer: layer.layer,
      });
      return {
        layer,
        formats,
        input: new TensorStatistics(layer.layer, formats.input),
        output: new TensorStatistics(layer.layer, formats.output),
        weights: new TensorStatistics(layer.layer, formats.weights),
        bias: new TensorStatistics(layer.layer, formats.bias),
      };
    });
    const byLayer = new Map(counted.map((entry) => [entry.layer, entry]));
    for (const { layer, weights, bias } of counted)
      for (const [index, blob] of layer.entry.layer.blobs.entries())
        (index === 0 ? weights : bias).add(blob, net.stream);
    await sources.forward();
    await net.forward({
      observe: observerOf(net, layers, (layer, part, blob, stream) =>
        byLayer.get(layer)![part].add(blob, stream),
      ),
    });
    const count = ({ saturated, elements }: TensorStatistics): SaturationCount => ({
      saturated,
      of: elements,
    });
    return counted.map(({ layer: { layer, type }, formats, input, output, weights, bias }) => ({
      layer,
      type,
      range: known.ranges?.find((range) => range.layer === layer) ?? null,
      integerLengths: known.integerLengths.find((lengths) => lengths.layer === layer)!,
      formats,
      saturation: {
        weights: count(weights),
        biases: count(bias),
        inputs: count(input),
        outputs: count(output),
      },
      parameterBytes: {
        before: 4 * (weights.elements + bias.elements),
        after: packedBytes(formats.weights, weights.elements) + packedBytes(formats.bias, bias.elements),
      },
    }));
  } finally {
    await net.close();
  }
}

import { RistrettoError } from '../errors/index.js';
import { Phase, type NetParameter } from '../proto/index.js';
import { withoutDropout } from './edit-net.js';
import { outputsOf, outputValues, type Evaluator } from './evaluator.js';
import type { LayerRange } from './integer-lengths.js';
import { observedLayers, observerOf } from './observation.js';
import { RunningScores, type BatchScores, type NetScores, type OutputDescription } from './running-scores.js';
import { TensorStatistics } from './tensor-statistics.js';

export interface CalibrationOptions {
  /** TRAIN batches. */
  iterations: number;
  /** Whether dropout acts. */
  dropout: boolean;
  onBatch?: (batch: number, outputs: OutputDescription[], scores: BatchScores) => void;
}

export interface Calibration {
  ranges: LayerRange[];
  /** The float net's scores on the way, which the original logs. */
  scores: NetScores;
}

/**
 * Range analysis: the largest magnitudes of every layer's input, output and weights over batches of the TRAIN
 * phase. Inputs and outputs are read as they are after the whole pass; biases do not count.
 */
export async function calibrate(
  evaluator: Evaluator,
  param: NetParameter,
  { iterations, dropout, onBatch }: CalibrationOptions,
): Promise<Calibration> {
  const { signal } = evaluator.options;
  const sources = await evaluator.openSources(param, Phase.TRAIN);
  const net = await evaluator.createNet(dropout ? param : withoutDropout(param), Phase.TRAIN, { sources });
  try {
    const layers = observedLayers(net);
    const parts = layers.map((layer) => ({
      layer,
      input: new TensorStatistics(layer.layer),
      output: new TensorStatistics(layer.layer),
      parameters: new TensorStatistics(layer.layer),
    }));
    const byLayer = new Map(parts.map((part) => [part.layer, part]));
    for (const { layer, parameters } of parts) parameters.add(layer.entry.layer.blobs[0], net.stream);
    const observe = observerOf(net, layers, (layer, part, blob, stream) =>
      byLayer.get(layer)![part].add(blob, stream),
    );
    const running = new RunningScores();
    const outputs = outputsOf(net);
    for (let batch = 0; batch < iterations; batch++) {
      signal?.throwIfAborted();
      await sources.forward();
      await net.forward({ observe });
      const values = outputValues(net);
      const scores = { loss: Math.fround(net.loss), values };
      await evaluator.finite.look(values, net, `calibration's batch ${batch}`);
      running.add(outputs, scores.loss, values);
      onBatch?.(batch, outputs, scores);
    }
    for (const { layer, input, output, parameters } of parts)
      for (const [statistics, what] of [
        // What is amiss with them is amiss with the output too.
        [parameters, 'weights'],
        [input, `blob '${layer.input.name}'`],
        [output, `blob '${layer.output.name}'`],
      ] as const)
        if (statistics.nans > 0)
          throw new RistrettoError(`${what}: ${statistics.nans} of ${statistics.elements} values are NaN`, {
            layer: layer.layer,
          });
    const ranges = parts.map(({ layer, input, output, parameters }) => ({
      layer: layer.layer,
      input: input.maxAbs,
      output: output.maxAbs,
      parameters: parameters.maxAbs,
    }));
    return { ranges, scores: running.finish() };
  } finally {
    await net.close();
  }
}

import { RistrettoError } from '../errors/index.js';
import { Phase, type NetParameter } from '../proto/index.js';
import { withoutDropout } from './edit-net.js';
import { outputsOf, outputValues, type Evaluator } from './evaluator.js';
import type { LayerRange } from './integer-lengths.js';
import { observedLayers, observerOf } from './observation.js';
import { RunningScores, type BatchScores, type NetScores, type OutputDescription } from './running-scores.js';
import { maxAbs } from './tensor-statistics.js';

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
    const ranges = new Map<string, LayerRange>();
    for (const { layer, entry } of layers)
      ranges.set(layer, { layer, input: 0, output: 0, parameters: maxAbs(entry.layer.blobs[0].data) });
    const observe = observerOf(net, layers, async ({ layer }, part, blob, stream) => {
      await stream.sync();
      const range = ranges.get(layer)!;
      const largest = maxAbs(blob.toArray());
      if (Number.isNaN(largest)) throw new RistrettoError(`blob '${blob.name}' holds a NaN`, { layer });
      range[part] = Math.max(range[part], largest);
    });
    const running = new RunningScores();
    const outputs = outputsOf(net);
    for (let batch = 0; batch < iterations; batch++) {
      signal?.throwIfAborted();
      await sources.forward();
      await net.forward({ observe });
      const values = outputValues(net);
      const scores = { loss: Math.fround(net.loss), values };
      running.add(outputs, scores.loss, values);
      onBatch?.(batch, outputs, scores);
    }
    return { ranges: [...ranges.values()], scores: running.finish() };
  } finally {
    await net.close();
  }
}

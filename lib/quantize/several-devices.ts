import { availableParallelism } from 'node:os';
import { Blob } from '../blob/index.js';
import type { RunnableNet } from '../engine/index.js';
import { ActivationArena, sideBySide, type Net } from '../graph/index.js';
import { ops, Stream, type NativeDevice } from '../native/index.js';
import type { NetParameter, Phase } from '../proto/index.js';
import { outputsOf, outputValues, type Evaluator, type OnBatch } from './evaluator.js';
import { RunningScores, type NetScores } from './running-scores.js';

/** A net on one device, and the batch that it scores next. */
interface Scorer {
  net: RunnableNet;
  batch: ReadonlyMap<string, Blob>;
}

/**
 * Scores a net with a copy on each device: batch after batch is read once, in order, and goes to the devices in turn;
 * results are told and added in the order of batches. So scores are those of one device in every bit. The evaluator is
 * one of the first device.
 */
export async function scoreOnDevices(
  evaluator: Evaluator,
  devices: readonly NativeDevice[],
  param: NetParameter,
  phase: Phase,
  iterations: number,
  onBatch: OnBatch,
): Promise<NetScores> {
  const { signal } = evaluator.options;
  const count = devices.length;
  const threads = evaluator.options.threads ?? Math.max(1, Math.floor(availableParallelism() / count));
  const streams = devices.slice(1).map((device) => new Stream({ threads, device }));
  const scorers: Scorer[] = [];
  try {
    const source = await evaluator.openSources(param, phase);
    for (const [index, stream] of [evaluator.stream, ...streams].entries()) {
      // The source's tops again, as memory of this device.
      const batch = new Map(
        [...source.sourceTops].map(([name, { shape }]) => [name, new Blob(name, shape, stream.device)]),
      );
      const net = await evaluator.createRunnable(param, phase, {
        sources: batch,
        arena: new ActivationArena(),
        stream,
        batchShare: { index, count },
      });
      scorers.push({ net, batch });
    }
    const running = new RunningScores();
    const outputs = outputsOf(scorers[0].net);
    for (let first = 0; first < iterations; first += count) {
      const group = scorers.slice(0, iterations - first);
      for (const { batch } of group) {
        signal?.throwIfAborted();
        await source.forward();
        await copyTops(source, batch);
      }
      await sideBySide(group, devices, ({ net }) => net.forward());
      for (const [i, { net }] of group.entries()) {
        const values = outputValues(net);
        const scores = { loss: Math.fround(net.loss), values };
        await evaluator.finite.look(values, net, `batch ${first + i}`);
        running.add(outputs, scores.loss, values);
        onBatch(0, first + i, outputs, scores);
      }
    }
    return running.finish();
  } finally {
    for (const { net } of scorers) await net.close();
    for (const stream of streams) stream.close();
  }
}

/** Copies a batch, so that the next one can be read while a net has this one. */
async function copyTops({ sourceTops, stream }: Net, batch: ReadonlyMap<string, Blob>): Promise<void> {
  for (const [name, top] of sourceTops) {
    const copy = batch.get(name)!;
    copy.reshape(top.shape);
    ops.copy(stream, { src: top.tensor(), dst: copy.tensor(), label: name });
    copy.version++;
  }
  await stream.sync();
}

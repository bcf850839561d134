import { registry } from '../../../data/index.js';
import { createNet, IntegerNet } from '../../../engine/index.js';
import { Net } from '../../../graph/index.js';
import { Stream, type StreamTiming } from '../../../native/index.js';
import { Phase, readNetText, readWeights } from '../../../proto/index.js';
import { sourcesOnly } from '../../../quantize/index.js';
import { writeFileAtomic } from '../../../util/index.js';
import { command } from '../../command.js';
import { chooseDevice } from '../../device.js';
import { dataOptions, engineOptions, gpuOptions, modelOptions, netOptions } from '../../options.js';
import { fillInputs } from '../../fill-inputs.js';
import { roundingOf } from '../../rounding.js';
import { layoutTable, progressBar } from '../../table.js';
import { withBatch } from '../../with-batch.js';

/** The least value that `share` of the sorted values do not exceed. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

interface LayerTime {
  layer: string;
  ops: string[];
  milliseconds: number;
}

/** What each layer took per pass, from a profile and the one before the passes. */
function layerTimes(
  before: readonly StreamTiming[],
  after: readonly StreamTiming[],
  passes: number,
): LayerTime[] {
  const layers = new Map<string, LayerTime>();
  for (const { label, op, seconds, calls } of after) {
    const earlier = before.find((row) => row.label === label && row.op === op);
    if (calls === (earlier?.calls ?? 0)) continue;
    const row = layers.get(label) ?? { layer: label, ops: [], milliseconds: 0 };
    row.ops.push(op);
    row.milliseconds += (1000 * (seconds - (earlier?.seconds ?? 0))) / passes;
    layers.set(label, row);
  }
  return [...layers.values()];
}

/** Times the forward passes of a net on one batch, which is read once and not timed. */
export const benchModelCommand = command({
  options: {
    model: modelOptions.model,
    weights: {
      kind: 'string',
      value: 'FILE',
      reads: ['weights'],
      help: 'trained weights; without them the fillers run',
    },
    ...engineOptions,
    batch: { kind: 'integer', min: 1, help: "images of a batch (the prototxt's)" },
    ...gpuOptions,
    threads: netOptions.threads,
    iterations: { kind: 'integer', min: 1, default: 50, help: 'passes that are timed' },
    warmup: { kind: 'integer', min: 1, default: 3, help: 'passes before them' },
    layers: { kind: 'boolean', default: false, help: "the layers' times, from passes of their own" },
    data: dataOptions.data,
    rounding: netOptions.rounding,
    allow_missing: netOptions.allow_missing,
  },
  async run({ values, output, signal }) {
    chooseDevice(values, output, { file: 'ristretto', line: 0 });
    const param = withBatch(readNetText(values.model), values.batch);
    const weights = values.weights === undefined ? null : await readWeights(values.weights);
    const base = {
      registry,
      phase: Phase.TEST,
      rounding: roundingOf(values.rounding),
      dataSource: values.data,
      signal,
    };
    // A profile costs a little at every op, so its passes are others than those that are timed.
    const measure = async (profile: boolean, iterations: number) => {
      const stream = new Stream({ threads: values.threads, profile });
      const sources = await Net.create({ ...base, param: sourcesOnly(param), stream });
      try {
        await sources.forward();
        fillInputs(sources);
        const net = await createNet(values.engine, { ...base, param, stream, sources });
        try {
          if (weights) await net.copyTrainedLayers(weights, { allowMissing: values.allow_missing });
          for (let i = 0; i < values.warmup; i++) await net.forward();
          const before = stream.profile();
          const milliseconds: number[] = [];
          for (let i = 0; i < iterations; i++) {
            const started = performance.now();
            await net.forward();
            milliseconds.push(performance.now() - started);
            output.status([`${progressBar(i + 1, iterations, 30)} pass ${i + 1} of ${iterations}`]);
          }
          output.status([]);
          const layers = layerTimes(before, stream.profile(), iterations);
          const batch = [...sources.sourceTops.values()][0]?.shape[0] ?? 1;
          return {
            milliseconds,
            layers,
            batch,
            threads: stream.threads,
            engine: net instanceof IntegerNet ? 'integer' : 'simulate',
            memory: net.memory,
          };
        } finally {
          await net.close();
        }
      } finally {
        await sources.close();
        stream.close();
      }
    };
    const timed = await measure(false, values.iterations);
    const layers = values.layers ? (await measure(true, Math.min(values.iterations, 20))).layers : null;
    const sorted = [...timed.milliseconds].sort((a, b) => a - b);
    const total = sorted.reduce((sum, ms) => sum + ms, 0);
    const result = {
      engine: timed.engine,
      batch: timed.batch,
      threads: timed.threads,
      iterations: values.iterations,
      imagesPerSecond: (1000 * timed.batch * values.iterations) / total,
      milliseconds: {
        mean: total / sorted.length,
        least: sorted[0],
        p50: percentile(sorted, 0.5),
        p90: percentile(sorted, 0.9),
        p99: percentile(sorted, 0.99),
      },
      memory: timed.memory,
      layers,
    };
    const { p50, p90, p99 } = result.milliseconds;
    if (layers)
      output.print(
        layoutTable(
          ['layer', 'ops', 'ms'],
          layers.map(({ layer, ops, milliseconds }) => [layer, ops.join(', '), milliseconds.toFixed(3)]),
          [2],
        ),
      );
    output.print(
      `${result.imagesPerSecond.toFixed(1)} images/s; ms a batch of ${result.batch}: median ${p50.toFixed(2)}, ` +
        `90 % ${p90.toFixed(2)}, 99 % ${p99.toFixed(2)}; engine ${result.engine}, ${result.threads} threads`,
    );
    if (values.json) writeFileAtomic(values.json, JSON.stringify(result, null, 2) + '\n');
  },
});

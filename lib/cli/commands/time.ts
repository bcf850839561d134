import { registry } from '../../data/index.js';
import { Net } from '../../graph/index.js';
import { Phase, readNetText, readWeights } from '../../proto/index.js';
import { Stream } from '../../native/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { chooseDevice } from '../device.js';
import { formatG } from '../format-number.js';
import { dataOptions, netOptions, stateOptions } from '../options.js';
import { linesOf } from '../original-lines.js';
import { roundingOf } from '../rounding.js';
import { phaseOf, stagesOf } from '../state.js';
import { layoutTable, progressBar } from '../table.js';

/** What a stream has spent on each layer since the last call, in milliseconds; a layer's ops count together. */
class LayerClock {
  #before = new Map<string, number>();

  constructor(private readonly stream: InstanceType<typeof Stream>) {}

  lap(): Map<string, number> {
    const now = new Map<string, number>();
    for (const { label, seconds } of this.stream.profile())
      now.set(label, (now.get(label) ?? 0) + 1000 * seconds);
    const lap = new Map([...now].map(([label, total]) => [label, total - (this.#before.get(label) ?? 0)]));
    this.#before = now;
    return lap;
  }
}

/** One direction through a net: each pass's milliseconds, and each layer's over all passes. */
class Direction {
  readonly passes: number[] = [];
  readonly #layers = new Map<string, number>();

  constructor(private readonly clock: LayerClock) {}

  async pass(run: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await run();
    this.passes.push(performance.now() - start);
    for (const [layer, ms] of this.clock.lap()) this.#layers.set(layer, (this.#layers.get(layer) ?? 0) + ms);
  }

  get average(): number {
    return this.passes.reduce((sum, ms) => sum + ms, 0) / this.passes.length;
  }

  /** Milliseconds of a layer in an average pass. */
  layer(name: string): number {
    return (this.#layers.get(name) ?? 0) / this.passes.length;
  }
}

export const timeCommand = command({
  options: {
    model: {
      kind: 'string',
      value: 'FILE',
      reads: ['net'],
      required: 'Need a model definition to time.',
      help: "the net's prototxt",
    },
    weights: {
      kind: 'string',
      value: 'FILE',
      reads: ['weights'],
      help: 'trained weights; without them the fillers run',
    },
    iterations: { kind: 'integer', min: 1, default: 50, help: 'passes' },
    forward_only: {
      kind: 'boolean',
      default: false,
      help: 'no backward pass, and the forward pass as it runs where nothing must be kept for one',
    },
    ...dataOptions,
    ...stateOptions,
    ...netOptions,
  },
  async run({ values, output, signal }) {
    chooseDevice(values, output, { file: 'caffe.cpp', line: 343 });
    const log = (line: number, text: string) =>
      linesOf('caffe.cpp', [[line, text]]).forEach((l) => output.log(l));
    const stream = new Stream({ threads: values.threads, profile: true });
    const net = await Net.create({
      param: readNetText(values.model),
      registry,
      phase: phaseOf(values.phase, Phase.TRAIN),
      level: values.level,
      stages: stagesOf(values.stage),
      stream,
      seed: values.seed,
      rounding: roundingOf(values.rounding),
      dataSource: values.data,
      skipBad: values.skip_bad,
      backward: !values.forward_only,
      signal,
    });
    try {
      if (values.weights)
        await net.copyTrainedLayers(await readWeights(values.weights), {
          allowMissing: values.allow_missing,
        });
      log(351, 'Performing Forward');
      await net.forward();
      log(356, `Initial loss: ${formatG(net.loss)}`);
      const backward = net.learnedParams.length > 0;
      if (backward) {
        log(357, 'Performing Backward');
        await net.backward();
      }
      const clock = new LayerClock(stream);
      clock.lap();
      const forwards = new Direction(clock);
      const backwards = new Direction(clock);
      log(365, '*** Benchmark begins ***');
      log(366, `Testing for ${values.iterations} iterations.`);
      const begin = performance.now();
      for (let i = 0; i < values.iterations; i++) {
        const start = performance.now();
        await forwards.pass(() => net.forward());
        if (backward) await backwards.pass(() => net.backward());
        const took = formatG(performance.now() - start);
        log(394, `Iteration: ${i + 1} ${backward ? 'forward-backward' : 'forward'} time: ${took} ms.`);
        output.status([`${progressBar(i + 1, values.iterations, 30)} pass ${i + 1} of ${values.iterations}`]);
      }
      const total = performance.now() - begin;
      output.status([]);
      const perLayer = net.layers.map(({ name, type }) => ({
        layer: name,
        type,
        forward: forwards.layer(name),
        ...(backward ? { backward: backwards.layer(name) } : {}),
      }));
      log(397, 'Average time per layer: ');
      for (const { layer, ...times } of perLayer) {
        log(400, `${layer.padStart(10)}\tforward: ${formatG(times.forward)} ms.`);
        if (times.backward !== undefined)
          log(403, `${layer.padStart(10)}\tbackward: ${formatG(times.backward)} ms.`);
      }
      log(408, `Average Forward pass: ${formatG(forwards.average)} ms.`);
      if (backward) {
        log(410, `Average Backward pass: ${formatG(backwards.average)} ms.`);
        log(412, `Average Forward-Backward: ${formatG(total / values.iterations)} ms.`);
      }
      log(414, `Total Time: ${formatG(total)} ms.`);
      log(415, '*** Benchmark ends ***');
      if (output.mode === 'terminal')
        output.print(
          layoutTable(
            ['layer', 'type', 'forward, ms', ...(backward ? ['backward, ms'] : [])],
            perLayer.map(({ layer, type, ...times }) => [
              layer,
              type,
              ...Object.values(times).map((ms) => ms.toFixed(3)),
            ]),
            [2, 3],
          ) +
            'A layer that another one does along (a ReLU behind a convolution, a Concat written in place) has 0 ms.\n' +
            `average forward pass ${forwards.average.toFixed(2)} ms, ` +
            (backward ? `backward pass ${backwards.average.toFixed(2)} ms, ` : '') +
            `${values.iterations} passes, ${stream.threads} threads\n`,
        );
      if (values.json)
        writeFileAtomic(
          values.json,
          JSON.stringify(
            {
              layers: perLayer,
              forward: forwards.average,
              ...(backward ? { backward: backwards.average } : {}),
              passes: forwards.passes,
              total,
              threads: stream.threads,
            },
            null,
            2,
          ) + '\n',
        );
    } finally {
      await net.close();
      stream.close();
    }
  },
});

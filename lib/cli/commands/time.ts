import { registry } from '../../data/index.js';
import { Net } from '../../graph/index.js';
import { Phase, readNetText, readWeights } from '../../proto/index.js';
import { Stream } from '../../native/index.js';
import { assertWritable, writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { chooseDevice } from '../device.js';
import { formatG } from '../format-number.js';
import { dataOptions, netOptions, stateOptions } from '../options.js';
import { linesOf } from '../original-lines.js';
import { roundingOf } from '../rounding.js';
import { phaseOf, stagesOf } from '../state.js';
import { layoutTable, progressBar } from '../table.js';

/** Milliseconds per pass and layer, from what a stream has collected; a layer's ops count together. */
function layerMilliseconds(stream: InstanceType<typeof Stream>, passes: number): Map<string, number> {
  const layers = new Map<string, number>();
  for (const { label, seconds } of stream.profile())
    layers.set(label, (layers.get(label) ?? 0) + (1000 * seconds) / passes);
  return layers;
}

export const timeCommand = command({
  name: 'time',
  summary: 'times the forward pass of a net, layer by layer',
  options: {
    model: {
      kind: 'string',
      value: 'FILE',
      required: 'Need a model definition to time.',
      help: "the net's prototxt",
    },
    weights: { kind: 'string', value: 'FILE', help: 'trained weights; without them the fillers run' },
    iterations: { kind: 'integer', min: 1, default: 50, help: 'passes' },
    ...dataOptions,
    ...stateOptions,
    ...netOptions,
  },
  async run({ values, output, signal }) {
    if (values.json) assertWritable(values.json);
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
      output.warn('the backward pass is not timed: this version does not have it');
      const warmup = layerMilliseconds(stream, 1);
      log(365, '*** Benchmark begins ***');
      log(366, `Testing for ${values.iterations} iterations.`);
      const passes: number[] = [];
      const begin = performance.now();
      for (let i = 0; i < values.iterations; i++) {
        const start = performance.now();
        await net.forward();
        passes.push(performance.now() - start);
        log(394, `Iteration: ${i + 1} forward time: ${formatG(passes[i])} ms.`);
        output.status([`${progressBar(i + 1, values.iterations, 30)} pass ${i + 1} of ${values.iterations}`]);
      }
      const total = performance.now() - begin;
      output.status([]);
      const all = layerMilliseconds(stream, 1);
      const perLayer = net.layers.map(({ name, type }) => ({
        layer: name,
        type,
        forward: ((all.get(name) ?? 0) - (warmup.get(name) ?? 0)) / values.iterations,
      }));
      const average = passes.reduce((sum, ms) => sum + ms, 0) / passes.length;
      log(397, 'Average time per layer: ');
      for (const { layer, forward } of perLayer)
        log(400, `${layer.padStart(10)}\tforward: ${formatG(forward)} ms.`);
      log(408, `Average Forward pass: ${formatG(average)} ms.`);
      log(414, `Total Time: ${formatG(total)} ms.`);
      log(415, '*** Benchmark ends ***');
      if (output.mode === 'terminal')
        output.print(
          layoutTable(
            ['layer', 'type', 'forward, ms'],
            perLayer.map(({ layer, type, forward }) => [layer, type, forward.toFixed(3)]),
            [2],
          ) +
            'A layer that another one does along (a ReLU behind a convolution, a Concat written in place) has 0 ms.\n' +
            `average pass ${average.toFixed(2)} ms, ${values.iterations} passes, ${stream.threads} threads\n`,
        );
      if (values.json)
        writeFileAtomic(
          values.json,
          JSON.stringify(
            { layers: perLayer, forward: average, passes, total, threads: stream.threads },
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

import { registry } from '../../data/index.js';
import {
  compareNets,
  compareWithSimulation,
  IntegerNet,
  isQuantisedType,
  type BlobComparison,
} from '../../engine/index.js';
import { Net } from '../../graph/index.js';
import { Stream } from '../../native/index.js';
import { Phase, readNetText, readWeights } from '../../proto/index.js';
import { sourcesOnly } from '../../quantize/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { chooseDevice } from '../device.js';
import { dataOptions, gpuOptions, modelOptions, netOptions, stateOptions } from '../options.js';
import { roundingOf } from '../rounding.js';
import { stagesOf } from '../state.js';
import { layoutTable, progressBar } from '../table.js';
import { fillInputs } from '../fill-inputs.js';
import { withBatch } from '../with-batch.js';

/** Adds a batch's comparisons to those of the batches before it. */
function add(total: BlobComparison[], batch: readonly BlobComparison[]): void {
  for (const [i, row] of batch.entries()) {
    if (!total[i]) total.push({ ...row });
    else {
      total[i].codes += row.codes;
      total[i].mismatches += row.mismatches;
      total[i].bugs += row.bugs;
      total[i].first ??= row.first;
    }
  }
}

function sum(rows: readonly BlobComparison[], field: 'codes' | 'mismatches' | 'bugs'): number {
  return rows.reduce((total, row) => total + row[field], 0);
}

function table(rows: readonly BlobComparison[]): string {
  return layoutTable(
    ['layer', 'step', 'codes', 'mismatches', 'bugs', 'first (n, c, h, w): engine, other'],
    rows.map(({ layer, step, codes, mismatches, bugs, first }) => [
      layer,
      step,
      `${codes}`,
      `${mismatches}`,
      `${bugs}`,
      first
        ? `(${first.n}, ${first.c}, ${first.h}, ${first.w}): ${first.engine}, ${first.other}: ${first.why}`
        : '',
    ]),
    [2, 3, 4],
  );
}

export const verifyCommand = command({
  options: {
    ...modelOptions,
    iterations: { kind: 'integer', min: 1, default: 1, help: 'batches' },
    batch: { kind: 'integer', min: 1, help: "images of a batch (the prototxt's)" },
    against: {
      kind: 'choice',
      choices: ['simulate', 'ref'],
      default: 'simulate',
      help: 'simulate: the float simulation, layer by layer; ref: the same plan on the definitions',
    },
    ...dataOptions,
    level: stateOptions.level,
    stage: stateOptions.stage,
    ...gpuOptions,
    threads: netOptions.threads,
    rounding: netOptions.rounding,
    allow_missing: netOptions.allow_missing,
  },
  async run({ values, output, signal }) {
    chooseDevice(values, output, { file: 'ristretto', line: 0 });
    const param = withBatch(readNetText(values.model), values.batch);
    const weights = await readWeights(values.weights);
    const base = {
      registry,
      phase: Phase.TEST,
      level: values.level,
      stages: stagesOf(values.stage),
      rounding: roundingOf(values.rounding),
      dataSource: values.data,
      skipBad: values.skip_bad,
      signal,
    };
    const closing: { close(): void | Promise<void> }[] = [];
    const keep = <T extends { close(): void | Promise<void> }>(made: T): T => {
      closing.unshift(made);
      return made;
    };
    try {
      const stream = keep(new Stream({ threads: values.threads }));
      const sources = keep(await Net.create({ ...base, param: sourcesOnly(param), stream }));
      const make = async (on: typeof stream) => {
        const net = keep(await IntegerNet.create({ ...base, param, stream: on, sources, retain: true }));
        await net.copyTrainedLayers(weights, { allowMissing: values.allow_missing });
        return net;
      };
      const net = await make(stream);
      const other =
        values.against === 'ref'
          ? await make(keep(new Stream({ threads: values.threads, isa: 'ref' })))
          : null;
      const rows: BlobComparison[] = [];
      for (let i = 0; i < values.iterations; i++) {
        await sources.forward();
        fillInputs(sources);
        await net.forward();
        await other?.forward();
        add(rows, other ? await compareNets(net, other) : await compareWithSimulation(net));
        const done = `batch ${i + 1} of ${values.iterations}`;
        output.status([`${progressBar(i + 1, values.iterations, 30)} ${done}`]);
        output.note(`${done}: ${sum(rows, 'mismatches')} codes differ so far`);
      }
      output.status([]);
      const [codes, mismatches, bugs] = [sum(rows, 'codes'), sum(rows, 'mismatches'), sum(rows, 'bugs')];
      for (const { layer, reason } of net.unlowered)
        output.warn(`layer '${layer.name}' computes in float32 in both: ${reason}`);
      output.print(table(rows));
      if (rows.length === 0)
        output.error(
          net.layers.some(({ type }) => isQuantisedType(type))
            ? 'nothing was compared: no layer of the net runs on integer codes'
            : `nothing was compared: ${values.model} has no quantised layers; 'ristretto quantize' makes a net that has`,
        );
      output.print(
        `${mismatches} of ${codes} codes differ` +
          (mismatches ? `: ${mismatches - bugs} by inexact float32 sums, ${bugs} by bugs` : ''),
      );
      if (values.json)
        writeFileAtomic(
          values.json,
          JSON.stringify(
            {
              against: values.against,
              iterations: values.iterations,
              codes,
              mismatches,
              bugs,
              unlowered: net.unlowered.map(({ layer, reason }) => ({ layer: layer.name, reason })),
              layers: rows,
            },
            null,
            2,
          ) + '\n',
        );
      return bugs > 0 || rows.length === 0 ? 1 : 0;
    } finally {
      for (const made of closing) await made.close();
    }
  },
});

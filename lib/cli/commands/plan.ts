import { registry } from '../../data/index.js';
import { IntegerNet } from '../../engine/index.js';
import { Phase, readNetText, readWeights } from '../../proto/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { dataOptions, modelOptions, netOptions, stateOptions } from '../options.js';
import { planTables } from '../plan-tables.js';
import { roundingOf } from '../rounding.js';
import { stagesOf } from '../state.js';
import { withBatch } from '../with-batch.js';

export const planCommand = command({
  options: {
    ...modelOptions,
    batch: { kind: 'integer', min: 1, help: "images of a batch (the prototxt's)" },
    data: dataOptions.data,
    level: stateOptions.level,
    stage: stateOptions.stage,
    threads: netOptions.threads,
    rounding: netOptions.rounding,
    allow_missing: netOptions.allow_missing,
  },
  async run({ values, output, signal }) {
    const net = await IntegerNet.create({
      param: withBatch(readNetText(values.model), values.batch),
      registry,
      phase: Phase.TEST,
      level: values.level,
      stages: stagesOf(values.stage),
      threads: values.threads,
      rounding: roundingOf(values.rounding),
      dataSource: values.data,
      signal,
    });
    try {
      await net.copyTrainedLayers(await readWeights(values.weights), { allowMissing: values.allow_missing });
      const description = await net.describe();
      output.print(planTables(description));
      if (values.json) writeFileAtomic(values.json, JSON.stringify(description, null, 2) + '\n');
    } finally {
      await net.close();
    }
  },
});

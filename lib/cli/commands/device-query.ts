import { availableParallelism, cpus, totalmem } from 'node:os';
import { cpuFeatures } from '../../native/index.js';
import { assertWritable, writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { netOptions } from '../options.js';
import { linesOf } from '../original-lines.js';
import { formatBytes } from '../table.js';

export const deviceQueryCommand = command({
  name: 'device_query',
  summary: 'what this machine can run on',
  options: { gpu: netOptions.gpu, require_gpu: netOptions.require_gpu },
  async run({ values, output }) {
    if (values.json) assertWritable(values.json);
    const device = {
      gpus: [] as string[],
      processor: cpus()[0]?.model ?? 'unknown',
      threads: availableParallelism(),
      memory: totalmem(),
      instructionSets: Object.entries(cpuFeatures())
        .filter(([, present]) => present)
        .map(([name]) => name),
    };
    const rows = [
      `Processor:        ${device.processor}`,
      `Threads:          ${device.threads}`,
      `Memory:           ${formatBytes(device.memory)}`,
      `Instruction sets: ${device.instructionSets.join(', ') || 'none that a kernel is made for'}`,
      'GPUs:             none (this version computes on the CPU)',
    ];
    linesOf('caffe.cpp', [[138, `Querying GPUs ${values.gpu ?? ''}`]]).forEach((line) => output.log(line));
    if (output.mode === 'glog')
      rows.forEach((text) => output.log({ site: { file: 'common.cpp', line: 178 }, text }));
    else output.print(rows.join('\n'));
    if (values.json) writeFileAtomic(values.json, JSON.stringify(device, null, 2) + '\n');
    return values.require_gpu ? 1 : 0;
  },
});

import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { gpuIds } from '../device.js';
import { describeMachine, machineLines } from '../machine.js';
import { gpuOptions } from '../options.js';
import { linesOf } from '../original-lines.js';

export const deviceQueryCommand = command({
  options: { gpu: gpuOptions.gpu, require_gpu: gpuOptions.require_gpu },
  async run({ values, output }) {
    const wanted = gpuIds(values.gpu);
    const machine = describeMachine();
    const rows = machineLines(machine, wanted === 'all' ? undefined : wanted);
    linesOf('caffe.cpp', [[138, `Querying GPUs ${values.gpu ?? ''}`]]).forEach((line) => output.log(line));
    if (output.mode === 'glog')
      rows.forEach((text) => output.log({ site: { file: 'common.cpp', line: 178 }, text }));
    else output.print(rows.join('\n'));
    if (values.json) writeFileAtomic(values.json, JSON.stringify(machine, null, 2) + '\n');
    return values.require_gpu && !machine.gpus.some((gpu) => !gpu.unusable) ? 1 : 0;
  },
});

import { formatG } from './format-number.js';
import { linesOf, type OriginalLine } from './original-lines.js';

/** A value that a net puts out, with its weight in the loss. */
export interface OutputValue {
  name: string;
  value: number;
  lossWeight: number;
}

const solverLine = (line: number, text: string): OriginalLine => linesOf('solver.cpp', [[line, text]])[0];
const ruleLine = (line: number, text: string): OriginalLine => linesOf('sgd_solver.cpp', [[line, text]])[0];

/** The original's log of a training run, line by line. */
export const trainLines = {
  finetuning: (weights: string) => solverLine(72, `Finetuning from ${weights}`),
  trainNet: (source: string) => solverLine(92, `Creating training net from train_net file: ${source}`),
  scaffolded: () => solverLine(57, 'Solver scaffolding done.'),
  resuming: (state: string) => linesOf('caffe.cpp', [[235, `Resuming from ${state}`]])[0],
  starting: () => linesOf('caffe.cpp', [[239, 'Starting Optimization']])[0],
  solving: (net: string, policy: string) => [
    solverLine(289, `Solving ${net}`),
    solverLine(290, `Learning Rate Policy: ${policy}`),
  ],
  iteration: (iteration: number, perSecond: number, seconds: number, display: number, loss: number) =>
    solverLine(
      239,
      `Iteration ${iteration} (${formatG(perSecond)} iter/s, ${formatG(seconds)}s/${display} iters), loss = ${formatG(loss)}`,
    ),
  trainOutput: (index: number, output: OutputValue) =>
    solverLine(258, `    Train net output #${index}: ${outputText(output)}`),
  learningRate: (iteration: number, rate: number) =>
    ruleLine(112, `Iteration ${iteration}, lr = ${formatG(rate)}`),
  clipped: (norm: number, limit: number) =>
    ruleLine(
      99,
      `Gradient clipping: scaling down gradients (L2 norm ${formatG(norm)} > ${formatG(limit)}) ` +
        `by scale factor ${formatG(limit / norm)}`,
    ),
  step: (iteration: number, step: number) =>
    ruleLine(50, `MultiStep Status: Iteration ${iteration}, step = ${step}`),
  testing: (iteration: number, net: number) =>
    solverLine(347, `Iteration ${iteration}, Testing net (#${net})`),
  testLoss: (loss: number) => solverLine(401, `Test loss: ${formatG(loss)}`),
  testOutput: (index: number, output: OutputValue) =>
    solverLine(414, `    Test net output #${index}: ${outputText(output)}`),
  snapshot: (model: string, state: string, hdf5: boolean) => [
    solverLine(hdf5 ? 474 : 464, `Snapshotting to ${hdf5 ? 'HDF5' : 'binary proto'} file ${model}`),
    ruleLine(
      hdf5 ? 296 : 284,
      `Snapshotting solver state to ${hdf5 ? 'HDF5' : 'binary proto'} file ${state}`,
    ),
  ],
  lastLoss: (iteration: number, loss: number) =>
    solverLine(327, `Iteration ${iteration}, loss = ${formatG(loss)}`),
  stoppedEarly: () => solverLine(311, 'Optimization stopped early.'),
  done: () => solverLine(332, 'Optimization Done.'),
  finished: () => linesOf('caffe.cpp', [[250, 'Optimization Done.']])[0],
};

function outputText({ name, value, lossWeight }: OutputValue): string {
  const weighted = lossWeight
    ? ` (* ${formatG(lossWeight)} = ${formatG(Math.fround(lossWeight * value))} loss)`
    : '';
  return `${name} = ${formatG(value)}${weighted}`;
}

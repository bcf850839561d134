import { availableParallelism, cpus } from 'node:os';
import { writeFileAtomic } from '../../../util/index.js';
import { packageVersion } from '../../../util/version.js';
import { command } from '../../command.js';
import { netOptions } from '../../options.js';
import { benchConvolutions } from './convolutions.js';
import { benchSpans } from './spans.js';

export const benchKernelsCommand = command({
  options: {
    op: {
      kind: 'choice',
      choices: ['conv', 'trim', 'range'],
      default: 'conv',
      help: 'fixed-point convolutions and inner products, trims, or range analysis',
    },
    shapes: {
      kind: 'string',
      value: 'NETS',
      reads: [],
      several: true,
      default: 'squeezenet_v1.0',
      help: 'conv: nets whose layers are timed, or files of such, separated by commas (bench/shapes)',
    },
    bits: { kind: 'choice', choices: ['8', '16'], default: '8', help: 'conv: of codes and weights' },
    images: { kind: 'integer', min: 1, max: 1024, default: 1, value: 'N', help: 'conv: in a batch' },
    kernel: { kind: 'string', value: 'NAME', help: 'conv: this one only' },
    megabytes: {
      kind: 'number',
      min: 0.001,
      max: 8000,
      default: 64,
      value: 'N',
      help: 'trim, range: of floats',
    },
    threads: netOptions.threads,
    isa: {
      kind: 'choice',
      choices: ['auto', 'portable', 'avx2', 'avx_vnni', 'avx512', 'avx512_vnni', 'neon', 'neon_dot'],
      default: 'auto',
      help: 'kernels of this instruction set at most',
    },
    seconds: { kind: 'number', min: 0, max: 60, default: 0.1, value: 'N', help: 'at least, for each' },
  },
  async run({ values, output, signal }) {
    const threads = values.threads ?? availableParallelism();
    const options = { threads, isa: values.isa, kernel: values.kernel, seconds: values.seconds };
    const machine = cpus()[0]?.model.trim() ?? 'unknown';
    output.print(`${machine}, ${threads} thread${threads === 1 ? '' : 's'}`);
    const rows =
      values.op === 'conv'
        ? await benchConvolutions(
            values.shapes.split(','),
            { images: values.images, bits: Number(values.bits) as 8 | 16 },
            options,
            { output, signal },
          )
        : await benchSpans(values.op, values.megabytes, options, { output, signal });
    if (values.json) {
      const { op, bits, images, isa } = values;
      const how = op === 'conv' ? { bits: Number(bits), images } : { megabytes: values.megabytes };
      writeFileAtomic(
        values.json,
        JSON.stringify({ version: packageVersion(), machine, threads, isa, op, ...how, rows }, null, 2) +
          '\n',
      );
    }
  },
});

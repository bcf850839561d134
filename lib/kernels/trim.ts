import { ops, Tensor, type RandomStream, type TrimFormat } from '../native/index.js';
import { fnv1a32 } from '../util/philox.js';
import { array, CallMemory, integer, refuse } from './check.js';
import { anything, checkOptions, type OptionKinds } from '../util/check-options.js';
import { kernelOptionKinds, run, runSync, type KernelOptions, type Work } from './work.js';

/** Names the random words of a stochastic trim: element i has the word of firstElement + i. */
export interface RandomName {
  /** 0 where unset, as are the others. */
  seed?: number;
  /** A number, or what it is the FNV-1a hash of: 'layer/role', role being weights, bias, input or output. */
  stream?: number | string;
  step?: number;
  firstElement?: number;
}

const randomNameKinds: OptionKinds<RandomName> = {
  seed: anything,
  stream: anything,
  step: anything,
  firstElement: anything,
};

function prepare(values: Float32Array, format: TrimFormat, random: RandomStream | null): Work<Float32Array> {
  array(values, 'values', [Float32Array]);
  if (typeof format !== 'object' || format === null) refuse('format', 'must be a number format');
  const memory = new CallMemory();
  const buffer = memory.inPlace(values);
  const tensor = new Tensor(buffer, 0, 'f32', [values.length]);
  return {
    enqueue: (stream) => ops.trim(stream, { src: tensor, dst: tensor, format, random }),
    result: () => new Float32Array(buffer.arrayBuffer, 0, values.length),
    memory,
  };
}

function nearest(
  what: string,
  values: Float32Array,
  format: TrimFormat,
  options: KernelOptions,
): Work<Float32Array> {
  checkOptions(what, options, kernelOptionKinds);
  if (format?.rounding === 'stochastic')
    refuse('format.rounding', 'stochastic rounding has a function of its own, roundStochastic');
  return prepare(values, format, null);
}

function stochastic(
  what: string,
  values: Float32Array,
  format: TrimFormat,
  name: RandomName,
  options: KernelOptions,
): Work<Float32Array> {
  checkOptions(what, name, randomNameKinds);
  checkOptions(what, options, kernelOptionKinds);
  const { seed = 0, stream = 0, step = 0, firstElement = 0 } = name;
  return prepare(
    values,
    typeof format === 'object' && format ? { ...format, rounding: 'stochastic' } : format,
    {
      seed: integer(seed, 'seed', 0, Number.MAX_SAFE_INTEGER),
      stream: typeof stream === 'string' ? fnv1a32(stream) : integer(stream, 'stream', 0, 2 ** 32 - 1),
      step: integer(step, 'step', 0, 2 ** 32 - 1),
      firstElement: integer(firstElement, 'firstElement', 0, Number.MAX_SAFE_INTEGER),
    },
  );
}

/** The nearest numbers that the format represents, in an array of their own. A NaN is a DataError. */
export async function trim(
  values: Float32Array,
  format: TrimFormat,
  options: KernelOptions = {},
): Promise<Float32Array> {
  return run(nearest('trim', values, format, options), options);
}

export function trimSync(
  values: Float32Array,
  format: TrimFormat,
  options: KernelOptions = {},
): Float32Array {
  return runSync(nearest('trimSync', values, format, options), options);
}

/** The number below or above each value, by chance in proportion; the same for the same random name. */
export async function roundStochastic(
  values: Float32Array,
  format: TrimFormat,
  random: RandomName = {},
  options: KernelOptions = {},
): Promise<Float32Array> {
  return run(stochastic('roundStochastic', values, format, random, options), options);
}

export function roundStochasticSync(
  values: Float32Array,
  format: TrimFormat,
  random: RandomName = {},
  options: KernelOptions = {},
): Float32Array {
  return runSync(stochastic('roundStochasticSync', values, format, random, options), options);
}

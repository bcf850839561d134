import { ops, Tensor, type DataType, type TrimFormat } from '../native/index.js';
import { array, CallMemory } from './check.js';
import { anything, checkOptions, type OptionKinds } from '../util/check-options.js';
import { kernelOptionKinds, run, runSync, type KernelOptions, type Work } from './work.js';

export interface RangeOptions extends KernelOptions {
  /** Count what this format would clamp. */
  format?: TrimFormat | null;
}

/** What calibration wants to know of values. Counts stop at 2^31 - 1. */
export interface ValueRange {
  /** NaNs do not count, infinities do; with no number at all Infinity, -Infinity and 0. */
  least: number;
  greatest: number;
  largestMagnitude: number;
  nans: number;
  infinities: number;
  /** 0 without a format. */
  saturated: number;
  /** 256, by float32's biased exponent: [0] zeros and denormals, [127] magnitudes from 1 to 2, [255] no numbers. */
  exponents: Int32Array;
}

const rangeOptionKinds: OptionKinds<RangeOptions> = { ...kernelOptionKinds, format: anything };

function prepare(what: string, values: Float32Array, options: RangeOptions): Work<ValueRange> {
  checkOptions(what, options, rangeOptionKinds);
  const { format = null } = options;
  array(values, 'values', [Float32Array]);
  const memory = new CallMemory();
  const result = (type: DataType, count: number) => {
    const buffer = memory.reserved(4 * count);
    return { buffer, tensor: new Tensor(buffer, 0, type, [count]) };
  };
  const src = new Tensor(memory.copied(values), 0, 'f32', [values.length]);
  const extremes = result('f32', 3);
  const counts = result('i32', 3);
  const exponents = result('i32', 256);
  return {
    enqueue: (stream) =>
      ops.range(stream, {
        src,
        extremes: extremes.tensor,
        counts: counts.tensor,
        exponents: exponents.tensor,
        format,
      }),
    result: () => {
      const [least, greatest, largestMagnitude] = new Float32Array(extremes.buffer.arrayBuffer);
      const [nans, infinities, saturated] = new Int32Array(counts.buffer.arrayBuffer);
      return {
        least,
        greatest,
        largestMagnitude,
        nans,
        infinities,
        saturated,
        exponents: new Int32Array(exponents.buffer.arrayBuffer, 0, 256),
      };
    },
    memory,
  };
}

export async function range(values: Float32Array, options: RangeOptions = {}): Promise<ValueRange> {
  return run(prepare('range', values, options), options);
}

export function rangeSync(values: Float32Array, options: RangeOptions = {}): ValueRange {
  return runSync(prepare('rangeSync', values, options), options);
}

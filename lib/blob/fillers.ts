import { RistrettoError } from '../errors/index.js';
import { FillerParameter_VarianceNorm, type FillerParameter } from '../proto/index.js';
import { messageKind } from '../proto/message.js';
import { checkArgument, having, required, seedNumber, text } from '../util/check-options.js';
import { RandomWords } from '../util/philox.js';
import { countOf, type Blob } from './blob.js';

type Fill = (
  values: Float32Array,
  filler: FillerParameter,
  random: RandomWords,
  shape: readonly number[],
) => void;

const constant: Fill = (values, { value }) => void values.fill(value);

const uniform: Fill = (values, { min, max }, random) => {
  if (min > max) throw new RistrettoError(`min ${min} exceeds max ${max}`);
  for (let i = 0; i < values.length; i++) values[i] = min + (max - min) * random.uniform();
};

/** `sparse` is the mean number of inputs that stay connected to each output. */
const gaussian: Fill = (values, { mean, std, sparse }, random, shape) => {
  if (sparse < -1) throw new RistrettoError(`sparse must be at least 0, not ${sparse}`);
  for (let i = 0; i < values.length; i++) values[i] = mean + std * random.gaussian();
  if (sparse < 0) return;
  const probability = sparse / (shape[0] ?? 1);
  for (let i = 0; i < values.length; i++) if (random.uniform() >= probability) values[i] = 0;
};

/** Every row (an entry of the first axis) is positive and sums to 1. */
const positiveUnitball: Fill = (values, _, random, shape) => {
  const rowLength = countOf(shape, 1);
  for (let start = 0; start < values.length; start += rowLength) {
    let sum = 0;
    for (let i = start; i < start + rowLength; i++) sum += values[i] = random.uniform();
    for (let i = start; i < start + rowLength; i++) values[i] /= sum;
  }
};

/** The number of weights that meet in a unit: inputs, outputs, or their mean. */
function fan(shape: readonly number[], norm: FillerParameter['variance_norm']): number {
  const count = countOf(shape);
  const fanIn = count / (shape[0] ?? 1);
  const fanOut = shape.length > 1 ? count / shape[1] : count;
  if (norm === FillerParameter_VarianceNorm.AVERAGE) return (fanIn + fanOut) / 2;
  return norm === FillerParameter_VarianceNorm.FAN_OUT ? fanOut : fanIn;
}

/** Glorot and Bengio 2010: uniform with variance 1 / fan. */
const xavier: Fill = (values, filler, random, shape) => {
  const bound = Math.sqrt(3 / fan(shape, filler.variance_norm));
  for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random.uniform() - 1);
};

/** He et al. 2015: normal with variance 2 / fan. */
const msra: Fill = (values, filler, random, shape) => {
  const std = Math.sqrt(2 / fan(shape, filler.variance_norm));
  for (let i = 0; i < values.length; i++) values[i] = std * random.gaussian();
};

/** The kernel that interpolates between pixels, for a Deconvolution that upsamples. */
const bilinear: Fill = (values, _, __, shape) => {
  if (shape.length !== 4 || shape[2] !== shape[3])
    throw new RistrettoError('needs a blob of four axes with a square kernel');
  const width = shape[3];
  const factor = Math.ceil(width / 2);
  const centre = (width - 1) / (2 * factor);
  const weight = (i: number) => 1 - Math.abs(i / factor - centre);
  for (let i = 0; i < values.length; i++)
    values[i] = weight(i % width) * weight(Math.floor(i / width) % width);
};

const fillers: Readonly<Record<string, Fill>> = {
  bilinear,
  constant,
  gaussian,
  msra,
  positive_unitball: positiveUnitball,
  uniform,
  xavier,
};

/**
 * The values that the prototxt's filler gives a blob of a shape; without one, zeros. They depend on the seed and
 * the stream's name ("layer/0") alone, and on the step where a blob is filled again and again.
 */
export function fillerValues(
  shape: readonly number[],
  filler: FillerParameter | null,
  seed: number,
  stream: string,
  step = 0,
): Float32Array {
  const values = new Float32Array(countOf(shape));
  if (filler) {
    const { type, sparse } = filler;
    if (!Object.hasOwn(fillers, type))
      throw new RistrettoError(`unknown filler '${type}'; known are ${Object.keys(fillers).join(', ')}`);
    if (sparse !== -1 && type !== 'gaussian')
      throw new RistrettoError(`filler '${type}' does not take sparse`);
    if (values.length) fillers[type](values, filler, new RandomWords(seed, stream, step), shape);
  }
  return values;
}

/** Sets a blob to the values of its filler. */
export function fill(
  blob: Blob,
  filler: FillerParameter | null,
  seed: number,
  stream: string,
  step = 0,
): void {
  checkArgument('fill', 'blob', blob, required(having('a Blob', 'shape', 'set')));
  if (filler !== null) checkArgument('fill', 'filler', filler, required(messageKind('FillerParameter')));
  checkArgument('fill', 'seed', seed, required(seedNumber));
  checkArgument('fill', 'stream', stream, required(text));
  blob.set(fillerValues(blob.shape, filler, seed, stream, step));
}

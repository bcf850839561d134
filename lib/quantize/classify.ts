import { readFileSync } from 'node:fs';
import { decodeImage, registry } from '../data/index.js';
import { DataError, UsageError } from '../errors/index.js';
import { createNet, type Engine } from '../engine/index.js';
import { FiniteCheck } from '../graph/index.js';
import { convertImage, type Rounding } from '../native/index.js';
import {
  blobData,
  blobShape,
  Phase,
  readBlobProto,
  readNetText,
  readWeights,
  type NetParameter,
} from '../proto/index.js';
import { checkOptions } from '../util/check-options.js';
import { linesOf, readTextFile, unreadable } from '../util/index.js';
import { warn } from '../util/warnings.js';
import { classifyKinds } from './option-kinds.js';

export interface ClassifyOptions {
  /** The deploy net: one input of shape (1, C, H, W). A path, or the message itself. */
  model: string | NetParameter;
  weights: string | NetParameter;
  /** An image file. */
  image: string;
  /** A file with a name per line, by class. */
  labels?: string;
  /** What is subtracted from the pixels: a value, a value per channel (BGR), or a mean image (binaryproto). */
  mean?: readonly number[] | string;
  /** Multiplies pixels after the mean is subtracted; 1 where unset. */
  scale?: number;
  /** Classes to give; 5 where unset. */
  top?: number;
  /** The output blob; the first where unset. */
  output?: string;
  threads?: number;
  rounding?: Rounding;
  allowMissing?: boolean;
  /** How quantised layers run, as for `score`. */
  engine?: Engine;
  signal?: AbortSignal;
}

/** One class that a net sees in an image. */
export interface Prediction {
  /** Class index. */
  index: number;
  /** From the labels file; absent where it has no such line. */
  label?: string;
  score: number;
}

/** Mean per channel: a mean image's channels are averaged, as Caffe's own example does. */
function channelMeans(mean: ClassifyOptions['mean'], channels: number): Float64Array {
  const means = new Float64Array(channels);
  if (mean === undefined) return means;
  if (typeof mean === 'string') {
    const blob = readBlobProto(mean, { field: 'mean' });
    const shape = blobShape(blob);
    const values = blobData(blob, { file: mean });
    if (shape.at(-3) !== channels)
      throw new UsageError(`has ${shape.at(-3) ?? 'no'} channels, the net's input has ${channels}`, {
        file: mean,
        field: 'mean',
      });
    const pixels = values.length / channels;
    return means.map(
      (_, c) => values.subarray(c * pixels, (c + 1) * pixels).reduce((a, b) => a + b, 0) / pixels,
    );
  }
  if (mean.length !== 1 && mean.length !== channels)
    throw new UsageError(`give 1 mean value or as many as channels: ${channels}, not ${mean.length}`);
  return means.map((_, c) => (mean.length === 1 ? mean[0] : mean[c]));
}

/** The classes that a deploy net gives the highest scores for an image, best first. */
export async function classify(options: ClassifyOptions): Promise<Prediction[]> {
  checkOptions('classify', options, classifyKinds);
  const { image: file, signal } = options;
  const labels =
    options.labels === undefined ? null : linesOf(readTextFile(options.labels, { field: 'labels' }));
  while (labels?.at(-1)?.trim() === '') labels.pop();
  const net = await createNet(options.engine ?? 'auto', {
    param: typeof options.model === 'string' ? readNetText(options.model) : options.model,
    registry,
    phase: Phase.TEST,
    threads: options.threads,
    rounding: options.rounding,
    signal,
    // Any blob may be asked for.
    keep: options.output === undefined ? [] : [options.output],
  });
  try {
    const inputs = net.layers.filter(({ type }) => type === 'Input').flatMap(({ top }) => top);
    if (inputs.length !== 1 || inputs[0].shape.length !== 4)
      throw new UsageError(
        `classify needs a deploy net with one input of shape (1, channels, height, width); this one has ` +
          (inputs.map(({ name, shapeText }) => `'${name}' of shape ${shapeText}`).join(', ') || 'none'),
      );
    const [input] = inputs;
    const [images, channels, height, width] = input.shape;
    if (channels !== 3 && channels !== 1)
      throw new UsageError(`the net's input has ${channels} channels, not 1 or 3`);
    const means = channelMeans(options.mean, channels);
    const weights =
      typeof options.weights === 'string' ? await readWeights(options.weights) : options.weights;
    await net.copyTrainedLayers(weights, { allowMissing: options.allowMissing });
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new DataError(unreadable(code), { file, field: 'image', cause: error });
    }
    let pixels;
    try {
      pixels = await convertImage(await decodeImage(bytes, channels === 3 ? 'color' : 'gray'), {
        height,
        width,
      });
    } catch (error) {
      throw new DataError((error as Error).message, { file, cause: error });
    }
    // RGB, interleaved, to planes of B, G, R; the same image for a net of a larger batch.
    const scale = options.scale ?? 1;
    const plane = height * width;
    const values = new Float32Array(images * channels * plane);
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++)
        values[c * plane + i] = (pixels.data[i * channels + channels - 1 - c] - means[c]) * scale;
    for (let n = 1; n < images; n++) values.copyWithin(n * channels * plane, 0, channels * plane);
    input.set(values);
    await net.forward();
    const output = options.output === undefined ? net.outputs[0] : net.blob(options.output);
    const scores = output.toArray().subarray(0, output.countFrom(1));
    // One name too many, of the background, gives every class the next one's name. The original stops; a list of the
    // first names alone is of use.
    if (labels && labels.length !== scores.length)
      warn(
        `${options.labels} has ${labels.length} names where the net has ${scores.length} classes: they may be others'`,
      );
    await new FiniteCheck().look(scores, net, `the net, for '${file}',`);
    return Array.from(scores, (score, index) => ({ index, score }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, options.top ?? 5)
      .map(({ index, score }) => ({ index, label: labels?.[index] || undefined, score }));
  } finally {
    await net.close();
  }
}

import { UsageError } from '../../errors/index.js';
import { classify } from '../../quantize/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { command } from '../command.js';
import { chooseDevice } from '../device.js';
import { engineOptions, modelOptions, netOptions } from '../options.js';
import { roundingOf } from '../rounding.js';

/** '104,117,123' as numbers; anything else is the path of a mean image. */
function meanOf(flag: string | undefined): readonly number[] | string | undefined {
  if (flag === undefined) return undefined;
  const parts = flag.split(',');
  const wrong = parts.find((part) => part.trim() === '' || !Number.isFinite(Number(part)));
  if (wrong === undefined) return parts.map(Number);
  // A list of numbers with a slip in it is no path.
  const slip = parts.find((part) => /^\s*([-+]?(nan|inf(inity)?))?\s*$/i.test(part));
  if (slip !== undefined)
    throw new UsageError(`'${slip}' in '${flag}' is no number that can be subtracted`, { field: '--mean' });
  return flag;
}

export const classifyCommand = command({
  options: {
    model: {
      kind: 'string',
      value: 'FILE',
      reads: ['net'],
      required: 'Need a deploy net.',
      help: "the deploy net's prototxt",
    },
    weights: modelOptions.weights,
    image: { kind: 'string', value: 'FILE', reads: ['image'], help: 'the image; also taken as an argument' },
    labels: { kind: 'string', value: 'FILE', reads: [], help: 'class names, one a line' },
    mean: {
      kind: 'string',
      value: 'VALUES|FILE',
      reads: ['blob'],
      help: 'what is subtracted: B,G,R values, one value, or a binaryproto (nothing)',
    },
    scale: { kind: 'number', default: 1, help: 'multiplies the pixels less the mean' },
    top: { kind: 'integer', min: 1, default: 5, help: 'classes to give' },
    output: { kind: 'string', value: 'NAME', help: 'the output blob (the first by name)' },
    ...engineOptions,
    ...netOptions,
  },
  arguments: [{ name: 'IMAGE', help: 'the image', optional: true, reads: ['image'] }],
  async run({ values, positional, output, signal }) {
    const image = values.image ?? positional[0];
    if (image === undefined) throw new UsageError('Need an image. (--image)');
    if (values.image !== undefined && positional.length > 0)
      throw new UsageError(`two images are given: ${values.image} and ${positional[0]}`);
    chooseDevice(values, output, { file: 'classification.cpp', line: 0 });
    const predictions = await classify({
      model: values.model,
      weights: values.weights,
      image,
      labels: values.labels,
      mean: meanOf(values.mean),
      scale: values.scale,
      top: values.top,
      output: values.output,
      threads: values.threads,
      rounding: roundingOf(values.rounding),
      engine: values.engine,
      allowMissing: values.allow_missing,
      signal,
    });
    output.answer(`---------- Prediction for ${image} ----------`);
    for (const { index, label, score } of predictions)
      output.answer(`${score.toFixed(4)} - "${label ?? `class ${index}`}"`);
    if (values.json) writeFileAtomic(values.json, JSON.stringify({ image, predictions }, null, 2) + '\n');
  },
});

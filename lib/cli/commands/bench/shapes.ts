import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError, UsageError } from '../../../errors/index.js';
import { linesOf, readTextFile } from '../../../util/index.js';
import { nearest } from '../../../util/nearest.js';

/** One convolution of a net; an inner product is one of 1 x 1 on 1 x 1. */
export interface Shape {
  name: string;
  channels: number;
  height: number;
  width: number;
  kernels: number;
  kernelH: number;
  kernelW: number;
  stride: number;
  pad: number;
  group: number;
}

const FIELDS = [
  'channels',
  'height',
  'width',
  'kernels',
  'kernelH',
  'kernelW',
  'stride',
  'pad',
  'group',
] as const satisfies readonly (keyof Shape)[];

const FOLDER = fileURLToPath(new URL('../../../../bench/shapes/', import.meta.url));

/** The problems that come with the package. */
export function knownShapes(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => file.slice(0, -'.txt'.length))
    .sort();
}

/** Multiply-accumulates of one image. */
export function multiplications(shape: Shape): number {
  const out = (size: number, kernel: number) =>
    Math.floor((size + 2 * shape.pad - kernel) / shape.stride) + 1;
  return (
    out(shape.height, shape.kernelH) *
    out(shape.width, shape.kernelW) *
    shape.kernels *
    (shape.channels / shape.group) *
    shape.kernelH *
    shape.kernelW
  );
}

function parseLine(line: string, context: { file: string; line: number }): Shape {
  const [name, ...texts] = line.trim().split(/\s+/);
  if (texts.length !== FIELDS.length)
    throw new FormatError(
      `'${line.trim()}' has ${texts.length + 1} columns, not name C H W K R S stride pad group`,
      context,
    );
  const shape = { name } as Shape;
  FIELDS.forEach((field, i) => {
    const value = Number(texts[i]);
    if (!Number.isInteger(value) || value < (field === 'pad' ? 0 : 1))
      throw new FormatError(`${name}: '${texts[i]}' is no ${field}`, context);
    shape[field] = value;
  });
  const { channels, kernels, group, height, width, kernelH, kernelW, pad } = shape;
  if (channels % group || kernels % group)
    throw new FormatError(`${name}: ${group} groups do not divide the channels`, context);
  if (height + 2 * pad < kernelH || width + 2 * pad < kernelW)
    throw new FormatError(`${name}: the kernel exceeds the padded input`, context);
  return shape;
}

/** A file's problems. Lines that start with # are comments. */
export function parseShapes(text: string, file: string): Shape[] {
  const shapes = linesOf(text).flatMap((line, i) =>
    /^\s*(#|$)/.test(line) ? [] : [parseLine(line, { file: basename(file), line: i + 1 })],
  );
  if (shapes.length === 0) throw new FormatError('holds no problem', { file });
  return shapes;
}

/** By path, or by the name of one that comes with the package. */
export function readShapes(given: string): Shape[] {
  const known = join(FOLDER, `${given}.txt`);
  const file = existsSync(given) ? given : known;
  if (!existsSync(file)) {
    const near = nearest(given, knownShapes());
    throw new UsageError(
      `flag --shapes: there is no file '${given}'` +
        (near
          ? `; did you mean ${near}?`
          : `, and none of the nets ${knownShapes().join(', ')} is called so`),
    );
  }
  return parseShapes(readTextFile(file, { field: '--shapes' }), file);
}

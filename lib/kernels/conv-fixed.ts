import {
  CodeTensor,
  ops,
  Tensor,
  type CodeFormat,
  type CodeLayout,
  type NativeBuffer,
  type Rounding,
} from '../native/index.js';
import { isTypedArray } from '../util/typed-array.js';
import { array, CallMemory, integer, pair, refuse, shapeOf } from './check.js';
import { anything, checkOptions, shown, type OptionKinds } from '../util/check-options.js';
import { kernelOptionKinds, run, runSync, type KernelOptions, type Work } from './work.js';

/** Codes of activations: Int8Array and Int16Array hold the code, Uint8Array the code plus 128. */
export type CodeArray = Int8Array | Uint8Array | Int16Array;

/** A number for height and width alike, or one for each. */
export type Extent = number | readonly [height: number, width: number];

/** A convolution on codes (docs/numerics.md, 6); an inner product has a kernel as large as its input. */
export interface ConvFixed {
  src: CodeArray;
  /** Images, height, width, channels of src, in this order of its elements. */
  shape: readonly [number, number, number, number];
  weights: Int8Array | Int16Array;
  /** Output channels, input channels / group, height, width of weights. */
  weightsShape: readonly [number, number, number, number];
  /** Codes of the weights' fractional length, one an output channel. */
  bias?: Int32Array | null;
  stride?: Extent;
  pad?: Extent;
  dilation?: Extent;
  group?: number;
  srcFractionalLength: number;
  weightsFractionalLength: number;
  output: CodeFormat;
  relu?: boolean;
  /** The consumer's format: a second rounding behind output and ReLU, and what the result then holds. */
  consumer?: CodeFormat | null;
  /** Half away from zero where unset. */
  rounding?: Exclude<Rounding, 'stochastic'>;
  /** Least and greatest code of src, which lets kernels do without what other codes would need; checked. */
  range?: readonly [low: number, high: number];
  /** How the result is stored; `i8` where its format has up to 8 bits, else `i16`. */
  dstType?: CodeLayout['type'];
}

/** Codes, channels last. */
export interface ConvFixedResult {
  data: CodeArray;
  /** Images, height, width, channels. */
  shape: [number, number, number, number];
}

type CodeType = CodeLayout['type'];
const codeArrays = { i8: Int8Array, u8: Uint8Array, i16: Int16Array } as const;

function typeOf(codes: CodeArray): CodeType {
  return isTypedArray(codes, Int8Array) ? 'i8' : isTypedArray(codes, Uint8Array) ? 'u8' : 'i16';
}

function checkRange(src: CodeArray, range: readonly [number, number]): void {
  if (!Array.isArray(range) || !range.every(Number.isInteger) || range.length !== 2)
    refuse('range', 'must be [least, greatest], whole numbers');
  const [low, high] = range;
  const zero = isTypedArray(src, Uint8Array) ? 128 : 0;
  const place = src.findIndex((stored) => stored - zero < low || stored - zero > high);
  if (place >= 0) refuse('range', `code ${src[place] - zero} at ${place} of src is not in ${low}..${high}`);
}

function outputSize(size: number, kernel: number, stride: number, pad: number, dilation: number): number {
  return Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
}

function checkFormat(format: CodeFormat | null | undefined, name: string): CodeFormat {
  if (typeof format !== 'object' || format === null) refuse(name, 'must be { bitWidth, fractionalLength }');
  integer(format.bitWidth, `${name}.bitWidth`, 1, 16);
  integer(format.fractionalLength, `${name}.fractionalLength`, -126, 126);
  return format;
}

/** Looked at below, one after the other. */
const problemKinds: OptionKinds<ConvFixed> = {
  src: anything,
  shape: anything,
  weights: anything,
  weightsShape: anything,
  bias: anything,
  stride: anything,
  pad: anything,
  dilation: anything,
  group: anything,
  srcFractionalLength: anything,
  weightsFractionalLength: anything,
  output: anything,
  relu: anything,
  consumer: anything,
  rounding: anything,
  range: anything,
  dstType: anything,
};

function prepare(what: string, problem: ConvFixed, options: KernelOptions): Work<ConvFixedResult> {
  checkOptions(what, problem, problemKinds);
  checkOptions(what, options, kernelOptionKinds);
  const [images, height, width, channels] = shapeOf(problem.shape, 'shape', [
    'images',
    'height',
    'width',
    'channels',
  ]);
  const src = array<CodeArray>(
    problem.src,
    'src',
    [Int8Array, Uint8Array, Int16Array],
    images * height * width * channels,
  );
  const weightsShape = shapeOf(problem.weightsShape, 'weightsShape', [
    'kernels',
    'channels',
    'height',
    'width',
  ]);
  const [kernels, , kernelH, kernelW] = weightsShape;
  const weights = array<Int8Array | Int16Array>(
    problem.weights,
    'weights',
    [Int8Array, Int16Array],
    weightsShape.reduce((a, b) => a * b),
  );
  const bias = problem.bias == null ? null : array(problem.bias, 'bias', [Int32Array], kernels);
  const [strideH, strideW] = pair(problem.stride, 'stride', 1, 1);
  const [padH, padW] = pair(problem.pad, 'pad', 0, 0);
  const [dilationH, dilationW] = pair(problem.dilation, 'dilation', 1, 1);
  const group = integer(problem.group ?? 1, 'group', 1);
  if (weightsShape[1] * group !== channels || kernels % group)
    refuse(
      'weightsShape',
      `(${weightsShape.join(', ')}) does not fit ${channels} channels in ${group} groups`,
    );
  const P = outputSize(height, kernelH, strideH, padH, dilationH);
  const Q = outputSize(width, kernelW, strideW, padW, dilationW);
  if (P < 1 || Q < 1) refuse('weightsShape', `a kernel of ${kernelH} x ${kernelW} exceeds the padded input`);
  const output = checkFormat(problem.output, 'output');
  const consumer = problem.consumer == null ? null : checkFormat(problem.consumer, 'consumer');
  const dstType = problem.dstType ?? ((consumer ?? output).bitWidth <= 8 ? 'i8' : 'i16');
  if (typeof dstType !== 'string' || !Object.hasOwn(codeArrays, dstType))
    refuse('dstType', `must be i8, u8 or i16, not ${shown(dstType)}`);
  if (problem.range != null) checkRange(src, problem.range);

  const count = images * P * Q * kernels;
  const memory = new CallMemory();
  const buffer = memory.reserved(count * codeArrays[dstType].BYTES_PER_ELEMENT);
  const fields = {
    src: new CodeTensor(memory.copied(src), 0, {
      type: typeOf(src),
      shape: [images, height, width, channels],
      range: problem.range ?? undefined,
    }),
    weights: new Tensor(
      memory.copied(weights),
      0,
      isTypedArray(weights, Int8Array) ? 'i8' : 'i16',
      weightsShape,
    ),
    bias: bias && new Tensor(memory.copied(bias), 0, 'i32', [kernels]),
    dst: new CodeTensor(buffer, 0, { type: dstType, shape: [images, P, Q, kernels] }),
    strideH,
    strideW,
    padH,
    padW,
    dilationH,
    dilationW,
    group,
    srcFractionalLength: integer(problem.srcFractionalLength, 'srcFractionalLength', -126, 126),
    weightsFractionalLength: integer(problem.weightsFractionalLength, 'weightsFractionalLength', -126, 126),
    output,
    consumer,
    relu: problem.relu,
    rounding: problem.rounding,
    packed: memory.packedWeights(),
  };
  return {
    enqueue: (stream) => ops.convolutionFixed(stream, fields),
    result: () => ({ data: codesIn(buffer, dstType, count), shape: [images, P, Q, kernels] }),
    memory,
  };
}

/** A view: nobody else knows of the memory. */
function codesIn(memory: NativeBuffer, type: CodeType, count: number): CodeArray {
  return new codeArrays[type](memory.arrayBuffer, 0, count);
}

/** Operands are copied before this returns. */
export async function convFixed(problem: ConvFixed, options: KernelOptions = {}): Promise<ConvFixedResult> {
  return run(prepare('convFixed', problem, options), options);
}

export function convFixedSync(problem: ConvFixed, options: KernelOptions = {}): ConvFixedResult {
  return runSync(prepare('convFixedSync', problem, options), options);
}

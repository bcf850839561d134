/**
 * The whole native surface as one typed interface. `test/structure` compares the op rows with what the binary
 * says of itself, so a field that exists on one side only is a failing test.
 */

/** Element types of a native tensor. */
export type DataType = 'f32' | 'i32' | 'i16' | 'i8' | 'u8';

/** Zeroed native memory, 64-byte aligned, shared with JavaScript through `arrayBuffer`. */
export interface NativeBuffer {
  readonly byteLength: number;
  readonly arrayBuffer: ArrayBuffer;
  /**
   * Gives the memory back now, or when the operations in flight that use it are done: array buffers of it are
   * detached, views of it refused. Without it the garbage collector does so some time after the last use.
   */
  free(): void;
}

/** A checked view of a NativeBuffer: what the ops take. Opaque. */
export interface NativeTensor {
  readonly __tensor: unique symbol;
}

/**
 * How activation codes lie in a NativeBuffer (native/core/code_tensor.h): channels last, `i8` and `i16` the codes
 * themselves, `u8` code + 128. The halo around each image holds the code 0; every op that writes codes writes it.
 */
export interface CodeLayout {
  type: 'i8' | 'u8' | 'i16';
  /** Images, height, width, channels. */
  shape: readonly [number, number, number, number];
  /** Elements from one image, row and pixel to the next; dense with the halo where unset. */
  strides?: readonly [image: number, row: number, pixel: number];
  /** Rows above and below, columns left and right of every image. */
  halo?: readonly [rows: number, columns: number];
  /** Least and greatest code that can occur; the type's range where unset. */
  range?: readonly [low: number, high: number];
}

/** A checked view of activation codes. Opaque. */
export interface NativeCodeTensor {
  readonly __codes: unique symbol;
}

/** Operations recorded by a stream, to be run again in one go. Opaque. */
export interface NativeGraph {
  readonly __graph: unique symbol;
  /** Drops the operations, and with them their hold on their operands; a launch does nothing from then on. */
  free(): void;
}

/** Weights in a kernel's own order, kept between forwards; repacked when their version changes. Opaque. */
export interface NativePackedWeights {
  readonly __packed: unique symbol;
  /** Gives the memory back now, or when the operations in flight that use it are done. */
  free(): void;
}

/** A mark on operations by which they can be skipped. */
export interface NativeCancellation {
  /** Operations with this mark do not run any more; one that runs is left in the middle. */
  cancel(): void;
}

/** Seconds spent in one op of one layer since the stream began. */
export interface StreamTiming {
  label: string;
  op: string;
  seconds: number;
  calls: number;
}

/** A GPU as it describes itself. */
export interface GpuInfo {
  id: number;
  name: string;
  /** Compute capability, as '9.0'. */
  capability: string;
  multiprocessors: number;
  /** Bytes. */
  memory: number;
  /** Why it cannot be used; empty where it can. */
  unusable: string;
}

export type InstructionSet =
  | 'auto'
  | 'portable'
  | 'avx2'
  | 'avx_vnni'
  | 'avx512'
  | 'avx512_vnni'
  | 'neon'
  | 'neon_dot'
  | 'ref';

export interface StreamOptions {
  /** Threads that share the work, 1..1024; the machine's processors where unset. Results do not depend on it. */
  threads?: number;
  /** Limits the kernels to an instruction set; an error where this machine lacks it. 'ref': the definitions. */
  isa?: InstructionSet;
  /** Collect timings per layer and op. */
  profile?: boolean;
  /** Where ops run, null for the processor; an instruction set other than 'auto' is one of the processor. */
  device?: NativeDevice | null;
}

/**
 * A queue of native operations that run in order on a thread of their own, as a CUDA stream does. Enqueueing
 * returns at once; the first failing operation makes the rest up to the next sync no-ops.
 */
export interface NativeStream {
  readonly threads: number;
  /** The GPU that it belongs to; null for the processor. */
  readonly device: NativeDevice | null;
  /** Whether it belongs to a GPU: it was made with one, and no instruction set was asked for. */
  readonly onDevice: boolean;
  /** Whether `close` was called: nothing can be enqueued any more. */
  readonly closed: boolean;
  /** Resolves when everything enqueued so far is done; rejects with the first error, which names the layer. */
  sync(): Promise<void>;
  /** The same, blocking the JavaScript thread. */
  syncBlocking(): void;
  profile(): StreamTiming[];
  /** From here to `endCapture` ops are checked and recorded instead of run. */
  beginCapture(): void;
  /** What was recorded. Its operands stay alive, and where they are, as long as the graph does. */
  endCapture(): NativeGraph;
  /** Enqueues everything that a graph holds, in one call. */
  launch(graph: NativeGraph): void;
  /** The mark of what is enqueued from now on, syncs included: these reject once it is cancelled. */
  cancellation: NativeCancellation | null;
  /** Ends the threads now, in the middle of what they do; pending syncs reject. */
  close(): void;
}

export type Rounding = 'halfAwayFromZero' | 'halfToEven' | 'halfUp' | 'floor' | 'stochastic';

/** The parameters of a number format (docs/numerics.md). */
export type TrimFormat =
  | { kind: 'dynamicFixedPoint'; bitWidth: number; fractionalLength: number; rounding?: Rounding }
  | { kind: 'minifloat'; mantissaBits: number; exponentBits: number; rounding?: Rounding }
  | { kind: 'integerPowerOfTwo'; exponentMin: number; exponentMax: number; rounding?: Rounding };

/** Names the random words of a stochastic trim; a word depends on these alone. */
export interface RandomStream {
  seed: number;
  stream: number;
  step: number;
  firstElement: number;
}

/** What every op takes besides its own fields. */
interface Labelled {
  /** The layer's name, for errors and profiles. */
  label?: string;
}

export interface ConvolutionFields extends Labelled {
  src: NativeTensor;
  weights: NativeTensor;
  bias?: NativeTensor | null;
  dst: NativeTensor;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
  group: number;
  relu?: boolean;
  winograd?: boolean;
  srcTrim?: TrimFormat | null;
  dstTrim?: TrimFormat | null;
  srcRandom?: RandomStream | null;
  dstRandom?: RandomStream | null;
  packed?: NativePackedWeights | null;
  weightsVersion?: number;
}

/** Gradients of a layer with weights: each of the last three may be left out. */
interface WeightedGradientFields extends Labelled {
  src: NativeTensor;
  weights: NativeTensor;
  dstDiff: NativeTensor;
  /** Overwritten. */
  srcDiff?: NativeTensor | null;
  /** Added to, as biasDiff is. */
  weightsDiff?: NativeTensor | null;
  biasDiff?: NativeTensor | null;
}

/** native/core/op/convolution_gradient.h */
export interface ConvolutionGradientFields extends WeightedGradientFields {
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
  group: number;
  winograd?: boolean;
}

/** native/core/op/inner_product_gradient.h */
export interface InnerProductGradientFields extends WeightedGradientFields {
  transpose?: boolean;
}

/** native/core/op/col2im.h */
export interface Col2imFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
}

export interface InnerProductFields extends Labelled {
  src: NativeTensor;
  weights: NativeTensor;
  bias?: NativeTensor | null;
  dst: NativeTensor;
  transpose?: boolean;
  relu?: boolean;
  srcTrim?: TrimFormat | null;
  dstTrim?: TrimFormat | null;
  srcRandom?: RandomStream | null;
  dstRandom?: RandomStream | null;
  packed?: NativePackedWeights | null;
  weightsVersion?: number;
}

export interface DeconvolutionFields extends Labelled {
  src: NativeTensor;
  weights: NativeTensor;
  bias?: NativeTensor | null;
  dst: NativeTensor;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
  group: number;
  relu?: boolean;
  srcTrim?: TrimFormat | null;
  dstTrim?: TrimFormat | null;
  srcRandom?: RandomStream | null;
  dstRandom?: RandomStream | null;
}

/** A convolution whose output is pooled, as by `maxPoolingCodes`, before it is written: `dst` is the pooling's. */
export interface PooledConvolutionFixedFields extends ConvolutionFixedFields {
  poolKernelH: number;
  poolKernelW: number;
  poolStrideH: number;
  poolStrideW: number;
  poolPadH: number;
  poolPadW: number;
}

export interface PoolingFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  /** The place of each maximum as h * W + w. */
  mask?: NativeTensor | null;
  kind: 'max' | 'average' | 'weighted' | 'sampled';
  /** Of sampled windows. */
  random?: RandomStream | null;
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

/** native/core/op/pooling_gradient.h */
export interface PoolingGradientFields extends Labelled {
  /** Not read for means. */
  src?: NativeTensor | null;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  kind: 'max' | 'average' | 'weighted' | 'sampled';
  /** As in the forward pass. */
  random?: RandomStream | null;
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  /** Adds to srcDiff. */
  accumulate?: boolean;
  /** Maxima alone: `src` is a ReLU's output in its place, and what is not above 0 gets nothing. */
  rectified?: boolean;
}

export interface LrnFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  region: 'across' | 'within';
  size: number;
  alpha: number;
  beta: number;
  k: number;
  /** A minifloat: every intermediate result is trimmed. */
  trim?: TrimFormat | null;
}

/** native/core/op/lrn_gradient.h */
export interface LrnGradientFields extends Labelled {
  src: NativeTensor;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  region: 'across' | 'within';
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

/** Range analysis (native/core/op/range.h says what each result holds). */
export interface RangeFields extends Labelled {
  src: NativeTensor;
  /** float32, 3: least, greatest, largest magnitude of the numbers. */
  extremes: NativeTensor;
  /** int32, 3: NaNs, infinities, values that `format` saturates. */
  counts?: NativeTensor | null;
  /** int32, 256: values by float32's biased exponent. */
  exponents?: NativeTensor | null;
  format?: TrimFormat | null;
  /** Adds to what the results hold. */
  accumulate?: boolean;
}

export interface TrimFields extends Labelled {
  src: NativeTensor;
  /** May be src. */
  dst: NativeTensor;
  format?: TrimFormat | null;
  random?: RandomStream | null;
}

export type UnaryFunction =
  | 'relu'
  | 'absolute'
  | 'bnll'
  | 'clip'
  | 'elu'
  | 'exponent'
  | 'logarithm'
  | 'power'
  | 'sigmoid'
  | 'swish'
  | 'tanh'
  | 'threshold';

export interface UnaryFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  function: UnaryFunction;
  /** The function's parameters, as native/core/op/unary.h lists them. */
  a?: number;
  b?: number;
  c?: number;
}

export interface UnaryGradientFields extends Labelled {
  /** What the function gave (elu, exponent, sigmoid, tanh, relu), else what it was given. */
  values: NativeTensor;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  function: UnaryFunction;
  a?: number;
  b?: number;
  c?: number;
}

export interface SoftmaxFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  axis: number;
}

export interface SoftmaxGradientFields extends Labelled {
  /** The probabilities. */
  dst: NativeTensor;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  axis: number;
}

export type LossNormalization = 'full' | 'valid' | 'batchSize' | 'none';

export interface LabelLossFields extends Labelled {
  src: NativeTensor;
  labels: NativeTensor;
  dst: NativeTensor;
  kind: 'logarithm' | 'hingeL1' | 'hingeL2' | 'infogain';
  normalization: LossNormalization;
  axis: number;
  /** Probabilities below this count as this. */
  floor?: number;
  /** Infogain: classes * classes elements, a row per label. */
  gain?: NativeTensor | null;
  ignores?: boolean;
  ignored?: number;
}

export interface LabelLossGradientFields extends Labelled {
  src: NativeTensor;
  labels: NativeTensor;
  /** One number, the loss's weight. */
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  kind: LabelLossFields['kind'];
  /** src are the probabilities of a softmax; srcDiff is that of its scores. */
  throughSoftmax?: boolean;
  normalization: LossNormalization;
  axis: number;
  floor?: number;
  gain?: NativeTensor | null;
  ignores?: boolean;
  ignored?: number;
}

export interface PairLossFields extends Labelled {
  src: NativeTensor;
  target: NativeTensor;
  dst: NativeTensor;
  kind: 'euclidean' | 'sigmoidCrossEntropy';
  normalization: LossNormalization;
  ignores?: boolean;
  ignored?: number;
}

export interface PairLossGradientFields extends Labelled {
  src: NativeTensor;
  target: NativeTensor;
  /** One number, the loss's weight. */
  dstDiff: NativeTensor;
  srcDiff?: NativeTensor | null;
  targetDiff?: NativeTensor | null;
  kind: PairLossFields['kind'];
  normalization: LossNormalization;
  ignores?: boolean;
  ignored?: number;
}

export interface AccuracyFields extends Labelled {
  src: NativeTensor;
  labels: NativeTensor;
  dst: NativeTensor;
  perClass?: NativeTensor | null;
  axis: number;
  topK: number;
  ignores?: boolean;
  ignored?: number;
}

export interface ArgMaxFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  output: 'index' | 'value' | 'both';
  outer: number;
  length: number;
  inner: number;
  topK: number;
}

/** How the elements of a record follow each other; swapped: channels 0 and 2 exchanged (RGB to BGR). */
export type PixelLayout = 'planar' | 'interleaved' | 'interleavedSwapped';

/**
 * dst (N, C, H, W) = (crop of src - mean) * scale. `geometry` is i32 (N, 7): per record the offset of its first
 * element in src (low 31 bits, the rest), height, width, the crop's top and left, mirror.
 */
export interface TransformImagesFields extends Labelled {
  src: NativeTensor;
  geometry: NativeTensor;
  /** (C), or (C, H, W) of the whole record. */
  mean?: NativeTensor | null;
  dst: NativeTensor;
  layout: PixelLayout;
  scale?: number;
}

export interface AffineFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  scale?: NativeTensor | null;
  bias?: NativeTensor | null;
  /** The axes of src that scale and bias have: [axis, axis + axes). */
  axis: number;
  axes: number;
}

/** Adds to scaleDiff and biasDiff; the source's gradient is an `affine` of dstDiff. */
export interface AffineGradientFields extends Labelled {
  /** Needed for scaleDiff. */
  src?: NativeTensor | null;
  dstDiff: NativeTensor;
  scaleDiff?: NativeTensor | null;
  biasDiff?: NativeTensor | null;
  axis: number;
  axes: number;
}

export interface BatchNormFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  /** Running sums; the third counts what they hold. */
  mean: NativeTensor;
  variance: NativeTensor;
  weight: NativeTensor;
  /** (2, C): gets the means and deviations that were used. */
  used?: NativeTensor | null;
  eps: number;
  movingAverageFraction: number;
  /** Use the batch's statistics and add them to the stored ones. */
  update?: boolean;
}

/** native/core/op/batch_norm_gradient.h */
export interface BatchNormGradientFields extends Labelled {
  /** Not read for stored statistics. */
  src?: NativeTensor | null;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  /** As the forward pass left it. */
  used: NativeTensor;
  /** The statistics were the batch's own. */
  batch?: boolean;
}

export interface ContrastiveLossFields extends Labelled {
  a: NativeTensor;
  b: NativeTensor;
  similar: NativeTensor;
  dst: NativeTensor;
  margin: number;
  legacy?: boolean;
}

export interface ContrastiveLossGradientFields extends Labelled {
  a: NativeTensor;
  b: NativeTensor;
  similar: NativeTensor;
  /** One number, the loss's weight. */
  dstDiff: NativeTensor;
  aDiff?: NativeTensor | null;
  bDiff?: NativeTensor | null;
  margin?: number;
  legacy?: boolean;
}

export interface CopyFields extends Labelled {
  /** Of any type, the same for both, and as many elements. */
  src: NativeTensor;
  dst: NativeTensor;
}

export interface CopyStridedFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  /** Offsets and strides count elements; there is a count and a stride per axis of the block. */
  srcOffset?: number;
  dstOffset?: number;
  counts: readonly number[];
  srcStrides: readonly number[];
  dstStrides: readonly number[];
  /** Adds to dst. */
  accumulate?: boolean;
}

export interface DropoutFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  /** Share of the elements that become 0, in [0, 1). */
  ratio: number;
  random?: RandomStream | null;
}

/** One step of a program: slots are the operands in order, then four registers (native/core/op/elementwise.h). */
export type ElementwiseStep =
  | { operation: 'copy' | 'absolute' | 'sign' | 'squareRoot'; dst: number; a: number }
  | ({
      operation: 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum';
      dst: number;
      a: number;
    } & ({ b: number } | { constant: number }));

export interface ElementwiseFields extends Labelled {
  /** At most eight, as many elements each; read and written. */
  operands: readonly NativeTensor[];
  steps: readonly ElementwiseStep[];
}

export interface EltwiseFields extends Labelled {
  srcs: readonly NativeTensor[];
  dst: NativeTensor;
  operation: 'sum' | 'product' | 'maximum';
  coefficients?: readonly number[];
}

/** native/core/op/eltwise_gradient.h */
export interface EltwiseGradientFields extends Labelled {
  /** Not read by a sum. */
  srcs: readonly NativeTensor[];
  dstDiff: NativeTensor;
  /** Those wanted; one may be dstDiff. */
  srcDiffs: readonly NativeTensor[];
  /** Of which source each of srcDiffs is. */
  indices: readonly number[];
  operation: EltwiseFields['operation'];
  coefficients?: readonly number[];
}

export interface GatherRowsFields extends Labelled {
  table: NativeTensor;
  index: NativeTensor;
  bias?: NativeTensor | null;
  dst: NativeTensor;
}

/** native/core/op/scatter_rows.h: the gradient of gatherRows */
export interface ScatterRowsFields extends Labelled {
  src: NativeTensor;
  index: NativeTensor;
  /** Added to, as bias is, unless `overwrite` zeroes it first. */
  table?: NativeTensor | null;
  bias?: NativeTensor | null;
  overwrite?: boolean;
}

export interface MvnFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  rows: number;
  normalizeVariance?: boolean;
  eps: number;
}

/** native/core/op/mvn_gradient.h */
export interface MvnGradientFields extends Labelled {
  /** Not read without normalizeVariance. */
  src?: NativeTensor | null;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  rows: number;
  normalizeVariance?: boolean;
  eps: number;
}

export interface PreluFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  slope: NativeTensor;
}

/** Overwrites srcDiff, adds to slopeDiff. */
export interface PreluGradientFields extends Labelled {
  src: NativeTensor;
  slope: NativeTensor;
  dstDiff: NativeTensor;
  srcDiff?: NativeTensor | null;
  slopeDiff?: NativeTensor | null;
}

export interface ReduceFields extends Labelled {
  src: NativeTensor;
  dst: NativeTensor;
  operation: 'sum' | 'absoluteSum' | 'squareSum';
  coefficient?: number;
}

export interface ReduceGradientFields extends Labelled {
  src: NativeTensor;
  dstDiff: NativeTensor;
  srcDiff: NativeTensor;
  operation: ReduceFields['operation'];
  coefficient?: number;
}

export interface SumOfSquaresFields extends Labelled {
  srcs: readonly NativeTensor[];
  /** i32, 2: takes the sum's bits, a float64. */
  dst: NativeTensor;
}

/** A dynamic fixed-point format of codes, 1 to 16 bits. */
export interface CodeFormat {
  bitWidth: number;
  fractionalLength: number;
}

/** native/core/op/convolution_fixed.h */
export interface ConvolutionFixedFields extends Labelled {
  src: NativeCodeTensor;
  /** Codes, i8 or i16, (K, C / group, R, S). */
  weights: NativeTensor;
  /** Codes, i32, (K). */
  bias?: NativeTensor | null;
  dst: NativeCodeTensor;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
  dilationH: number;
  dilationW: number;
  group: number;
  /** The distance at which the input's rows and columns stand, with zeros between them: a deconvolution's stride. */
  spreadH?: number;
  spreadW?: number;
  srcFractionalLength: number;
  weightsFractionalLength: number;
  /** No code of the weights takes more bits: a device may keep them in so many, and then refuses codes that take more. */
  weightsBitWidth?: number;
  output: CodeFormat;
  relu?: boolean;
  /** The consumer's format: a second requantisation behind output and ReLU. */
  consumer?: CodeFormat | null;
  rounding?: Rounding | null;
  packed?: NativePackedWeights | null;
  weightsVersion?: number;
}

/** native/core/op/quantise.h */
export interface QuantiseFields extends Labelled {
  src: NativeTensor;
  dst: NativeCodeTensor;
  format: CodeFormat;
  rounding?: Rounding | null;
}

/** native/core/op/quantise_tensor.h: weights and biases */
export interface QuantiseTensorFields extends Labelled {
  src: NativeTensor;
  /** i8, i16 or i32, of src's shape. */
  dst: NativeTensor;
  /** Of 1 to 32 bits here, as many as dst's type holds. */
  format: CodeFormat;
  rounding?: Rounding | null;
}

export interface DequantiseFields extends Labelled {
  src: NativeCodeTensor;
  dst: NativeTensor;
  fractionalLength: number;
}

/** native/core/op/requantise.h */
export interface RequantiseFields extends Labelled {
  src: NativeCodeTensor;
  dst: NativeCodeTensor;
  srcFractionalLength: number;
  format: CodeFormat;
  rounding?: Rounding | null;
  relu?: boolean;
}

interface CodeWindowFields {
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

/** native/core/op/pooling_codes.h */
export interface MaxPoolingCodesFields extends Labelled, CodeWindowFields {
  src: NativeCodeTensor;
  dst: NativeCodeTensor;
}

export interface AveragePoolingCodesFields extends Labelled, CodeWindowFields {
  src: NativeCodeTensor;
  dst: NativeTensor;
  fractionalLength: number;
}

/** log2 of the largest sums that a fixed convolution's weights allow, rounded up (native/core/op/convolution_fixed.h). */
export interface FixedBound {
  /** Of the plain sum: at most 31 fits a 32-bit accumulator. */
  sumBits: number;
  /** Of sum, bias and rounding together; above 63 the layer cannot run on integers. */
  accBits: number;
}

/** One row per op: `ops.name(stream, fields)` checks its fields, then enqueues. */
export interface NativeOps {
  accuracy(stream: NativeStream, fields: AccuracyFields): void;
  affine(stream: NativeStream, fields: AffineFields): void;
  affineGradient(stream: NativeStream, fields: AffineGradientFields): void;
  argMax(stream: NativeStream, fields: ArgMaxFields): void;
  averagePoolingCodes(stream: NativeStream, fields: AveragePoolingCodesFields): void;
  batchNorm(stream: NativeStream, fields: BatchNormFields): void;
  batchNormGradient(stream: NativeStream, fields: BatchNormGradientFields): void;
  col2im(stream: NativeStream, fields: Col2imFields): void;
  contrastiveLoss(stream: NativeStream, fields: ContrastiveLossFields): void;
  contrastiveLossGradient(stream: NativeStream, fields: ContrastiveLossGradientFields): void;
  convolution(stream: NativeStream, fields: ConvolutionFields): void;
  convolutionFixed(stream: NativeStream, fields: ConvolutionFixedFields): void;
  convolutionGradient(stream: NativeStream, fields: ConvolutionGradientFields): void;
  copy(stream: NativeStream, fields: CopyFields): void;
  copyStrided(stream: NativeStream, fields: CopyStridedFields): void;
  deconvolution(stream: NativeStream, fields: DeconvolutionFields): void;
  deconvolutionGradient(stream: NativeStream, fields: ConvolutionGradientFields): void;
  dequantise(stream: NativeStream, fields: DequantiseFields): void;
  dropout(stream: NativeStream, fields: DropoutFields): void;
  elementwise(stream: NativeStream, fields: ElementwiseFields): void;
  eltwise(stream: NativeStream, fields: EltwiseFields): void;
  eltwiseGradient(stream: NativeStream, fields: EltwiseGradientFields): void;
  gatherRows(stream: NativeStream, fields: GatherRowsFields): void;
  innerProduct(stream: NativeStream, fields: InnerProductFields): void;
  innerProductGradient(stream: NativeStream, fields: InnerProductGradientFields): void;
  labelLoss(stream: NativeStream, fields: LabelLossFields): void;
  labelLossGradient(stream: NativeStream, fields: LabelLossGradientFields): void;
  lrn(stream: NativeStream, fields: LrnFields): void;
  lrnGradient(stream: NativeStream, fields: LrnGradientFields): void;
  maxPoolingCodes(stream: NativeStream, fields: MaxPoolingCodesFields): void;
  mvn(stream: NativeStream, fields: MvnFields): void;
  mvnGradient(stream: NativeStream, fields: MvnGradientFields): void;
  pairLoss(stream: NativeStream, fields: PairLossFields): void;
  pairLossGradient(stream: NativeStream, fields: PairLossGradientFields): void;
  pooledConvolutionFixed(stream: NativeStream, fields: PooledConvolutionFixedFields): void;
  pooling(stream: NativeStream, fields: PoolingFields): void;
  poolingGradient(stream: NativeStream, fields: PoolingGradientFields): void;
  prelu(stream: NativeStream, fields: PreluFields): void;
  preluGradient(stream: NativeStream, fields: PreluGradientFields): void;
  quantise(stream: NativeStream, fields: QuantiseFields): void;
  quantiseTensor(stream: NativeStream, fields: QuantiseTensorFields): void;
  range(stream: NativeStream, fields: RangeFields): void;
  reduce(stream: NativeStream, fields: ReduceFields): void;
  reduceGradient(stream: NativeStream, fields: ReduceGradientFields): void;
  requantise(stream: NativeStream, fields: RequantiseFields): void;
  scatterRows(stream: NativeStream, fields: ScatterRowsFields): void;
  softmax(stream: NativeStream, fields: SoftmaxFields): void;
  softmaxGradient(stream: NativeStream, fields: SoftmaxGradientFields): void;
  sumOfSquares(stream: NativeStream, fields: SumOfSquaresFields): void;
  transformImages(stream: NativeStream, fields: TransformImagesFields): void;
  trim(stream: NativeStream, fields: TrimFields): void;
  unary(stream: NativeStream, fields: UnaryFields): void;
  unaryGradient(stream: NativeStream, fields: UnaryGradientFields): void;
}

export interface DeviceOptions {
  /** Bytes of the GPU's memory that may be taken at most; 0, the default: all. */
  memoryLimit?: number;
  /**
   * What products of float32 are made of, default 'fp32', which is the processor's arithmetic. The others round both
   * factors, to 10 or 7 bits of mantissa, and add in float32 on tensor cores (compute capability 8.0 and newer).
   */
  math?: 'fp32' | 'tf32' | 'bf16';
}

/** A GPU to make memory and streams on. All memory made with one object comes from its pool. */
export interface NativeDevice {
  /** As `devices()` lists it. */
  readonly id: number;
}

export interface LmdbRecord {
  /** As text: whole numbers in decimal of one length, bytes that are no text in hexadecimal ('0x…'). */
  key: string;
  value: Uint8Array;
}

/** Reads an LMDB database in key order; damaged files raise errors. Needs no lock and no writable folder. */
export interface NativeLmdbReader {
  /** Number of records. */
  readonly entries: number;
  /** Records [first, first + count), fewer at the end; cheapest where the last read ended. */
  read(first: number, count: number): Promise<LmdbRecord[]>;
  close(): void;
}

/** Writes a new LMDB database; `put` is one transaction. Close it when the last put is done. */
export interface NativeLmdbWriter {
  put(records: readonly (readonly [key: string, value: Uint8Array])[]): Promise<void>;
  close(): void;
}

/** A decoded image: 8 bits, rows of pixels, channels interleaved. */
export interface PixelImage {
  data: Uint8Array;
  height: number;
  width: number;
  channels: number;
}

/** Luma as (red * R + green * G + blue * B + half) >> shift. */
export interface GrayWeights {
  red: number;
  green: number;
  blue: number;
  half: number;
  shift: number;
}

/** One convolution on codes, to be measured. */
export interface ConvolutionProblem {
  channels: number;
  height: number;
  width: number;
  kernels: number;
  kernelH: number;
  kernelW: number;
  stride: number;
  pad: number;
  group: number;
  images: number;
  /** Of codes and weights. */
  bits: 8 | 16;
}

/** What native/bench/convolution_fixed_bench.h says of one kernel. */
export interface ConvolutionTiming {
  kernel: string;
  /** The definition itself, timed by one run on one image. */
  definition: boolean;
  /** Of one run, the least of all rounds. */
  seconds: number;
  /** Of one run: two a multiply-accumulate. */
  operations: number;
  /** What the kernel is made of, and how many operations a second the machine does of it, on as many threads. */
  instruction: string | null;
  peak: number | null;
}

/** A trim, or with `range` a range analysis, of `count` floats. */
export interface SpanProblem {
  range?: boolean;
  format?: TrimFormat | null;
  count: number;
}

export interface SpanTiming {
  /** Of one pass, the least of all rounds. */
  seconds: number;
  /** Of the source. */
  bytes: number;
  /** Bytes of source that a plain copy (trims) or read (range) does a second, on as many threads. */
  peak: number;
}

export interface BenchOptions {
  threads: number;
  isa?: InstructionSet;
  /** One kernel by name instead of all. */
  kernel?: string;
  /** How long each is timed at least. */
  seconds: number;
}

export interface CpuFeatures {
  avx2: boolean;
  avxVnni: boolean;
  avx512: boolean;
  avx512Vnni: boolean;
  neon: boolean;
  neonDot: boolean;
}

export interface NativeAddon {
  /**
   * Of the processor where no device is given. A GPU's can be read and written on the processor too. `pinned`: the
   * processor's, from where the GPU fetches a `copy` while processor and kernels go on.
   */
  Buffer: new (bytes: number, device?: NativeDevice | null, pinned?: boolean) => NativeBuffer;
  Tensor: new (
    buffer: NativeBuffer,
    byteOffset: number,
    type: DataType,
    shape: readonly number[],
    imageStride?: number,
  ) => NativeTensor;
  /** `byteOffset` is that of code (0, 0, 0, 0): the halo lies before and around it. */
  CodeTensor: new (buffer: NativeBuffer, byteOffset: number, layout: CodeLayout) => NativeCodeTensor;
  PackedWeights: new () => NativePackedWeights;
  Stream: new (options?: StreamOptions) => NativeStream;
  Cancellation: new () => NativeCancellation;
  LmdbReader: new (path: string) => NativeLmdbReader;
  LmdbWriter: new (folder: string) => NativeLmdbWriter;
  /**
   * Luma of an RGB image (`gray: true`: with the weights of OpenCV's BMP, Netpbm and TIFF readers) and OpenCV's
   * bilinear resize, in this order, on Node's thread pool.
   */
  convertImage(
    image: PixelImage,
    target: { gray?: boolean | GrayWeights; height?: number; width?: number },
  ): Promise<PixelImage>;
  cpuFeatures(): CpuFeatures;
  /** The GPUs that the driver shows; where there is none, `why`. */
  devices(): { devices: GpuInfo[]; why: string };
  /** Throws where there is no such GPU, or it cannot be used. */
  Device: new (id: number, options?: DeviceOptions) => NativeDevice;
  /** Every kernel that supports the problem, each checked against the definition, then timed; on a thread of its own. */
  benchConvolutionFixed(problem: ConvolutionProblem, options: BenchOptions): Promise<ConvolutionTiming[]>;
  benchSpan(problem: SpanProblem, options: BenchOptions): Promise<SpanTiming>;
  /** What the weights of a fixed convolution say of its largest sums; `fields` as for `ops.convolutionFixed`. */
  fixedBound(fields: ConvolutionFixedFields): FixedBound;
  ops: NativeOps;
  /** {op: {field: kind}} as the binary defines it. */
  surface: Record<string, Record<string, string>>;
}

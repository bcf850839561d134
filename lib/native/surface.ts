/**
 * The whole native surface as one typed interface. The ops and the names that their fields choose from are generated
 * from what the binary says of itself (scripts/generate-native-ops.mjs); `test/structure` compares them again.
 */
import type { CodeLayout, DataType, NativeBuffer, NativeCodeTensor, NativePackedWeights, NativeTensor, TrimFormat } from './operands.js';
import type { ConvolutionFixedFields, NativeOps } from './ops.js';
import type { DeviceOptions, GpuInfo, InstructionSet, NativeCancellation, NativeDevice, NativeStream, StreamOptions } from './queue.js';

export type * from './choices.js';
export type * from './operands.js';
export type * from './ops.js';
export type * from './queue.js';

/** log2 of the largest sums that a fixed convolution's weights allow, rounded up (native/core/op/quantized_convolution/convolution_fixed.h). */
export interface FixedBound {
  /** Of the plain sum: at most 31 fits a 32-bit accumulator. */
  sumBits: number;
  /** Of sum, bias and rounding together; above 63 the layer cannot run on integers. */
  accBits: number;
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
  /** {op: {field: line}}; of the op itself under ''. */
  surfaceDocs: Record<string, Record<string, string>>;
  /** {type: the names to choose from} */
  surfaceChoices: Record<string, { doc: string; names: string[] }>;
  /** {op: {field: type}}: which of the choices a field's values are made of. */
  surfaceFieldChoices: Record<string, Record<string, string>>;
}

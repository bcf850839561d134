/** What ops take: memory, views of it, number formats. Each kind of field has its type here. */
import type { Rounding, StepOperation } from './choices.js';

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

/** Weights in a kernel's own order, kept between forwards; repacked when their version changes. Opaque. */
export interface NativePackedWeights {
  readonly __packed: unique symbol;
  /** Gives the memory back now, or when the operations in flight that use it are done. */
  free(): void;
}

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

/** A dynamic fixed-point format of codes, 1 to 16 bits. */
export interface CodeFormat {
  bitWidth: number;
  fractionalLength: number;
}

/** Steps of one operand; the others have two. */
type OneOperand = 'copy' | 'absolute' | 'sign' | 'squareRoot';

/** One step of a program: slots are the operands in order, then four registers (native/core/op/elementwise/elementwise.h). */
export type ElementwiseStep =
  | { operation: OneOperand; dst: number; a: number }
  | ({ operation: Exclude<StepOperation, OneOperand>; dst: number; a: number } & (
      | { b: number }
      | { constant: number }
    ));

import { shown } from '../util/check-options.js';
import { UsageError } from '../errors/index.js';
import { NativeMemory, PackedWeights, type NativeBuffer, type NativePackedWeights } from '../native/index.js';
import { isTypedArray } from '../util/typed-array.js';

/** Native buffers are not empty. */
const LEAST_BYTES = 64;

export type TypedArray = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;

/** Throws with the argument's name in front. */
export function refuse(name: string, message: string): never {
  throw new UsageError(message, { field: name });
}

export function integer(value: unknown, name: string, least: number, most = 2 ** 31 - 1): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    refuse(name, `must be a whole number from ${least} to ${most}, not ${shown(value)}`);
  return value as number;
}

/** One number for height and width, or one for each; `absent` where unset. */
export function pair(value: unknown, name: string, least: number, absent: number): [number, number] {
  const [h, w, ...rest] = Array.isArray(value) ? (value as unknown[]) : [value ?? absent, value ?? absent];
  if (rest.length > 0) refuse(name, 'must be a number, or two: height and width');
  return [integer(h, name, least), integer(w, name, least)];
}

export function shapeOf(value: unknown, name: string, axes: readonly string[]): number[] {
  if (!Array.isArray(value) || value.length !== axes.length) refuse(name, `must be [${axes.join(', ')}]`);
  return (value as unknown[]).map((dim, i) => integer(dim, `${name}: ${axes[i]}`, 1));
}

/** One of the classes, of as many elements where `count` is given. */
export function array<T extends TypedArray>(
  value: unknown,
  name: string,
  classes: readonly (new (length: number) => T)[],
  count?: number,
): T {
  if (!classes.some((type) => isTypedArray(value, type)))
    refuse(name, `must be ${classes.map((type) => type.name).join(' or ')}`);
  const given = value as T;
  if (isDetached(given)) refuse(name, 'was transferred to another thread: its memory is gone');
  if (count !== undefined && given.length !== count)
    refuse(name, `has ${given.length} elements, not ${count}`);
  return given;
}

function isDetached({ buffer }: TypedArray): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** The native memory of one call of a kernel. */
export class CallMemory {
  readonly #operands: { free(): void }[] = [];
  readonly #results: NativeBuffer[] = [];

  /** A copy of an operand: kernels run on other threads, where a script must not change it. */
  copied(data: TypedArray): NativeBuffer {
    const memory = reserve(data.byteLength);
    this.#operands.push(memory);
    new Uint8Array(memory.arrayBuffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return memory;
  }

  /** Memory for a result. */
  reserved(bytes: number): NativeBuffer {
    const memory = reserve(bytes);
    this.#results.push(memory);
    return memory;
  }

  /** Memory that is an operand first and then the result. */
  inPlace(data: TypedArray): NativeBuffer {
    const memory = this.copied(data);
    this.#operands.pop();
    this.#results.push(memory);
    return memory;
  }

  packedWeights(): NativePackedWeights {
    const packed = new PackedWeights();
    this.#operands.push(packed);
    return packed;
  }

  freeOperands(): void {
    for (const memory of this.#operands) memory.free();
  }

  /** Results too: arrays on them are empty from now on. */
  free(): void {
    this.freeOperands();
    for (const memory of this.#results) memory.free();
  }
}

function reserve(bytes: number): NativeBuffer {
  return new NativeMemory(Math.max(bytes, LEAST_BYTES));
}

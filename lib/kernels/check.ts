import { UsageError } from '../errors/index.js';
import { NativeMemory, type NativeBuffer } from '../native/index.js';
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
    refuse(name, `must be a whole number from ${least} to ${most}, not ${String(value)}`);
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
  if (count !== undefined && given.length !== count)
    refuse(name, `has ${given.length} elements, not ${count}`);
  return given;
}

/** A copy in native memory: kernels run on other threads, where a script must not change their operands. */
export function copied(data: TypedArray): NativeBuffer {
  const memory = reserved(data.byteLength);
  new Uint8Array(memory.arrayBuffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return memory;
}

/** Native memory for a result. */
export function reserved(bytes: number): NativeBuffer {
  return new NativeMemory(Math.max(bytes, LEAST_BYTES));
}

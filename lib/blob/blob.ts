import { shown } from '../util/check-options.js';
import {
  currentDevice,
  NativeMemory,
  Tensor,
  type NativeBuffer,
  type NativeTensor,
} from '../native/index.js';
import { RistrettoError } from '../errors/index.js';

/** Caffe's own bound: a blob's element count fits an int32. */
export const MAX_BLOB_ELEMENTS = 2 ** 31 - 1;

/** Product of the dimensions in [from, to). */
export function countOf(shape: readonly number[], from = 0, to = shape.length): number {
  let product = 1;
  for (let axis = from; axis < to; axis++) product *= shape[axis];
  return product;
}

/** Counts changes of where blobs lie; each change gets a number of its own. */
let placements = 0;

/** Where a blob's floats live: whole native memory, or a part of memory that a plan shares out. */
interface Storage {
  buffer: NativeBuffer;
  byteOffset: number;
  /** Elements that fit. */
  capacity: number;
  /** The buffer is this blob's alone. */
  own?: boolean;
}

/** The blob whose data (or diff) another one uses, where in it, and how far its images lie apart there. */
interface Source {
  blob: Blob;
  elementOffset: number;
  imageStride: number | null;
}

/**
 * A named tensor of float32, N-dimensional, row-major: data, and a diff of the same shape where training needs
 * one. Memory comes at the first use, so shapes can be known, checked and planned before any is taken; it belongs to
 * the device that was the current one when the blob was made, where no other is given.
 */
export class Blob {
  /** Raised by whoever writes the data; kernels repack weights when it changes. */
  version = 0;
  #shape: readonly number[] = [];
  #count = 1;
  #data: Storage | null = null;
  #diff: Storage | null = null;
  #source: Source | null = null;
  #diffSource: Source | null = null;
  /** Blobs that use this one's memory. */
  #sharers = 0;
  /** `free` was called: the memory goes when nobody shares it any more, and no new one is taken. */
  #freed = false;
  #tensors = new Map<string, NativeTensor>();
  #array: Float32Array | null = null;
  #placement = 0;
  /** Gives the data its first values, until it has run or values were set. */
  #initialise: (() => Float32Array) | null = null;

  constructor(
    readonly name: string,
    shape: readonly number[] = [],
    /** Where its own memory comes from. */
    readonly device = currentDevice(),
  ) {
    if (typeof name !== 'string') throw new RistrettoError(`a blob's name is a string, not ${shown(name)}`);
    this.reshape(shape);
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  /** Number of elements. */
  get count(): number {
    return this.#count;
  }

  /** Elements from axis `from` up to, not including, axis `to`. */
  countFrom(from: number, to = this.#shape.length): number {
    if (!Number.isInteger(from) || !Number.isInteger(to))
      throw new RistrettoError(`blob '${this.name}' has no axes ${shown(from)} to ${shown(to)}`);
    return countOf(this.#shape, from, to);
  }

  /** The axis with negative ones counted from the end; throws where the blob has no such axis. */
  axis(index: number): number {
    const rank = this.#shape.length;
    const axis = Number.isInteger(index) && index < 0 ? index + rank : index;
    if (!Number.isInteger(index) || axis < 0 || axis >= rank)
      throw new RistrettoError(
        `axis ${shown(index)} is out of range for blob '${this.name}' of shape ${this.shapeText}`,
      );
    return axis;
  }

  /** Caffe's legacy accessors: dimension `axis` of at most four, 1 where there is none. */
  legacyDim(axis: 0 | 1 | 2 | 3): number {
    if (this.#shape.length > 4)
      throw new RistrettoError(`blob '${this.name}' of shape ${this.shapeText} has more than 4 axes`);
    if (!Number.isInteger(axis)) throw new RistrettoError(`blob '${this.name}' has no axis ${shown(axis)}`);
    return this.#shape[axis] ?? 1;
  }

  get shapeText(): string {
    return `(${this.#shape.join(', ')})`;
  }

  /** Sets the shape; keeps the memory where it still fits. Throws for dimensions that no memory could hold. */
  reshape(shape: readonly number[]): void {
    if (!Array.isArray(shape))
      throw new RistrettoError(`blob '${this.name}': a shape is a list of dimensions, not ${shown(shape)}`);
    let count = 1;
    for (const dim of shape) {
      if (!Number.isInteger(dim) || dim < 0)
        throw new RistrettoError(`blob '${this.name}': ${shown(dim)} is not a dimension`);
      count *= dim;
    }
    if (shape.length > 8)
      throw new RistrettoError(`blob '${this.name}' has ${shape.length} axes; 8 is the most`);
    if (count > MAX_BLOB_ELEMENTS)
      throw new RistrettoError(
        `blob '${this.name}' of shape (${shape.join(', ')}) has ${count} elements; ${MAX_BLOB_ELEMENTS} is the most`,
      );
    if (
      count === this.#count &&
      shape.length === this.#shape.length &&
      shape.every((d, i) => d === this.#shape[i])
    )
      return;
    this.#shape = [...shape];
    this.#count = count;
    this.#forget();
    if (this.#data && this.#data.capacity < count) this.#data = null;
    if (this.#diff && this.#diff.capacity < count) this.#diff = null;
  }

  /**
   * Uses another blob's data from now on, also when that one's memory moves: Split, Flatten, Reshape, and a
   * Concat's inputs written in place (`imageStride` elements from one image to the next).
   */
  shareData(blob: Blob, elementOffset = 0, imageStride: number | null = null): void {
    if (blob === this) return;
    this.#expectBlob(blob);
    blob.#sharers++;
    this.#leave(this.#source);
    this.#source = { blob, elementOffset, imageStride };
    this.#data = null;
    this.#forget();
  }

  /** Uses another blob's diff from now on, as `shareData` does with the data. */
  shareDiff(blob: Blob, elementOffset = 0, imageStride: number | null = null): void {
    if (blob === this) return;
    this.#expectBlob(blob);
    blob.#sharers++;
    this.#leave(this.#diffSource);
    this.#diffSource = { blob, elementOffset, imageStride };
    this.#diff = null;
    this.#forget();
  }

  #expectBlob(other: Blob): void {
    if (!(other instanceof Blob))
      throw new RistrettoError(`blob '${this.name}' shares with a Blob, not ${shown(other)}`);
  }

  /** Has memory of its own again, after `shareData` and `shareDiff`; the next use takes it. */
  unshare(): void {
    this.#leave(this.#source);
    this.#source = null;
    this.#leave(this.#diffSource);
    this.#diffSource = null;
    this.#data = null;
    this.#diff = null;
    this.#forget();
  }

  /**
   * Names what the data holds before anybody sets it: asked for when the data is first looked at, by whatever
   * way, so that nobody sees zeros where there will be values. `set` makes it needless. An error of `values` is
   * that of the look, and the next one asks again.
   */
  initialiseWith(values: (() => Float32Array) | null): void {
    this.#initialise = values;
  }

  /** Whether the data still waits for its initial values. */
  get uninitialised(): boolean {
    return this.owner.#initialise !== null;
  }

  /** Gives the data its initial values now. */
  initialise(): void {
    if (this.uninitialised) this.#storage();
  }

  /** Uses another blob's memory no longer, which may have waited for that to be freed. */
  #leave(source: Source | null): void {
    if (!source) return;
    source.blob.#sharers--;
    if (source.blob.#freed) source.blob.free();
  }

  /**
   * Gives the memory back now, once no other blob shares it; for good: reading or writing the blob is an error then,
   * and arrays that were handed out are empty. Memory that a plan shares out is left to its owner.
   */
  free(): void {
    this.#freed = true;
    if (this.#sharers > 0) return;
    const own = [this.#data, this.#diff].filter((storage) => storage?.own);
    this.unshare();
    for (const storage of own) storage!.buffer.free();
  }

  /** Whether the data has memory already; reading or writing it takes some where it has none. */
  get allocated(): boolean {
    return this.#source ? this.#source.blob.allocated : this.#data !== null;
  }

  /** The blob whose memory this one uses in the end; itself where it has its own. */
  get owner(): Blob {
    return this.#source ? this.#source.blob.owner : this;
  }

  /** The blob whose diff this one uses in the end; itself where it has its own. */
  get diffOwner(): Blob {
    return this.#diffSource ? this.#diffSource.blob.diffOwner : this;
  }

  /**
   * Another number whenever the shape or the place of the data may have changed, also where the blob follows
   * another one: while it stays, so does what `tensor` gives.
   */
  get placement(): number {
    return this.#source ? Math.max(this.#placement, this.#source.blob.placement) : this.#placement;
  }

  /** Places the data in memory that a plan shares out. */
  bindData(buffer: NativeBuffer, byteOffset: number, capacity: number): void {
    this.#data = { buffer, byteOffset, capacity };
    this.#forget();
  }

  /** Places the diff in memory that a plan shares out. */
  bindDiff(buffer: NativeBuffer, byteOffset: number, capacity: number): void {
    this.#diff = { buffer, byteOffset, capacity };
    this.#forget();
  }

  /** Lets go of the diff's memory; the next use takes new, zeroed memory. */
  releaseDiff(): void {
    this.#diff = null;
    this.#forget();
  }

  /** Lets go of the memory; the next use takes new, zeroed memory. */
  release(): void {
    this.#data = null;
    this.#diff = null;
    this.#forget();
  }

  /** True where the images do not follow each other without a gap: read such a blob with `toArray`. */
  get strided(): boolean {
    return this.#gaps(this.#source);
  }

  /** Whether a part of this blob has gaps between its images. */
  #gaps(source: Source | null): boolean {
    return source !== null && source.imageStride !== null && (this.#shape[0] ?? 1) > 1;
  }

  /** The data as JavaScript sees it: the memory itself, not a copy. */
  get data(): Float32Array {
    if (this.strided)
      throw new RistrettoError(
        `blob '${this.name}' is a slice of '${this.owner.name}': read it with toArray()`,
      );
    const { buffer, byteOffset } = this.#storage();
    if (!this.#array || this.#array.buffer !== buffer.arrayBuffer || this.#array.byteOffset !== byteOffset)
      this.#array = new Float32Array(buffer.arrayBuffer, byteOffset, this.#count);
    return this.#array;
  }

  /** The diff as JavaScript sees it: the memory itself, zeros where nothing has written to it. */
  get diff(): Float32Array {
    if (this.#gaps(this.#diffSource))
      throw new RistrettoError(
        `the diff of blob '${this.name}' is a slice of that of '${this.diffOwner.name}': read it with diffToArray()`,
      );
    const { buffer, byteOffset } = this.#diffStorage();
    return new Float32Array(buffer.arrayBuffer, byteOffset, this.#count);
  }

  /** A copy of the data, images side by side. */
  toArray(): Float32Array {
    return this.strided ? this.#gather(this.#storage(), this.#source!.imageStride!) : this.data.slice();
  }

  /** A copy of the diff, images side by side. */
  diffToArray(): Float32Array {
    return this.#gaps(this.#diffSource)
      ? this.#gather(this.#diffStorage(), this.#diffSource!.imageStride!)
      : this.diff.slice();
  }

  #gather({ buffer, byteOffset }: Storage, imageStride: number): Float32Array {
    const image = this.countFrom(1);
    const result = new Float32Array(this.#count);
    for (let n = 0; n < this.#shape[0]; n++)
      result.set(new Float32Array(buffer.arrayBuffer, byteOffset + 4 * n * imageStride, image), n * image);
    return result;
  }

  /** Replaces the data; the source has as many elements. */
  set(values: ArrayLike<number>): void {
    if (typeof values !== 'object' || values === null)
      throw new RistrettoError(`blob '${this.name}' takes a list of numbers, not ${shown(values)}`);
    if (values.length !== this.#count)
      throw new RistrettoError(
        `blob '${this.name}' of shape ${this.shapeText} cannot take ${values.length} values`,
      );
    const { owner } = this;
    if (owner.count === this.#count) owner.#initialise = null;
    this.data.set(values);
    this.version++;
  }

  /**
   * The native view of the data: under the blob's own shape, or under another one with as many elements (the
   * matrix that an inner product sees, say).
   */
  tensor(shape: readonly number[] = this.#shape): NativeTensor {
    return this.#view('data', this.#storage(), this.#source, shape);
  }

  /** The native view of the diff, as `tensor` gives that of the data. */
  diffTensor(shape: readonly number[] = this.#shape): NativeTensor {
    return this.#view('diff', this.#diffStorage(), this.#diffSource, shape);
  }

  #view(
    part: 'data' | 'diff',
    storage: Storage,
    source: Source | null,
    shape: readonly number[],
  ): NativeTensor {
    const own = shape === this.#shape;
    if (!own && !Array.isArray(shape))
      throw new RistrettoError(`blob '${this.name}': a shape is a list of dimensions, not ${shown(shape)}`);
    const key = `${part}:${storage.byteOffset}:${shape.join(',')}`;
    let tensor = this.#tensors.get(key);
    if (!tensor || this.#tensorBuffer.get(tensor) !== storage.buffer) {
      if (!own && (this.#gaps(source) || countOf(shape) !== this.#count))
        throw new RistrettoError(
          `blob '${this.name}' of shape ${this.shapeText} cannot be seen as (${shape.join(', ')})`,
        );
      const imageStride = (own ? source?.imageStride : undefined) ?? undefined;
      tensor = new Tensor(storage.buffer, storage.byteOffset, 'f32', shape, imageStride);
      this.#tensors.set(key, tensor);
      this.#tensorBuffer.set(tensor, storage.buffer);
    }
    return tensor;
  }

  /** Which memory each cached view belongs to: a shared source may have moved since. */
  #tensorBuffer = new WeakMap<NativeTensor, NativeBuffer>();

  #storage(): Storage {
    if (this.#source) return within(this.#source.blob.#storage(), this.#source);
    this.#data ??= this.#allocate();
    if (this.#initialise) {
      const values = this.#initialise();
      this.#initialise = null;
      const { buffer, byteOffset } = this.#data;
      new Float32Array(buffer.arrayBuffer, byteOffset, this.#count).set(values);
    }
    return this.#data;
  }

  #diffStorage(): Storage {
    if (this.#diffSource) return within(this.#diffSource.blob.#diffStorage(), this.#diffSource);
    return (this.#diff ??= this.#allocate());
  }

  #allocate(): Storage {
    if (this.#freed)
      throw new RistrettoError(`blob '${this.name}' was freed: the net that owned it is closed`);
    try {
      return {
        buffer: new NativeMemory(4 * this.#count, this.device),
        byteOffset: 0,
        capacity: this.#count,
        own: true,
      };
    } catch (error) {
      throw new RistrettoError(
        `blob '${this.name}' of shape ${this.shapeText}: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  #forget(): void {
    this.#placement = ++placements;
    this.#tensors.clear();
    this.#array = null;
  }
}

function within({ buffer, byteOffset, capacity }: Storage, { elementOffset }: Source): Storage {
  return { buffer, byteOffset: byteOffset + 4 * elementOffset, capacity: capacity - elementOffset };
}

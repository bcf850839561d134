import { FormatError, type ErrorContext } from '../errors/index.js';
import { checkArgument, listOf, required, whole } from '../util/check-options.js';
import { isTypedArray } from '../util/typed-array.js';
import type { BlobProto } from './caffe.js';
import { checkMessage, has } from './message.js';

/** Whether a blob has its shape in the four old fields num, channels, height and width. */
export function hasLegacyShape(blob: BlobProto): boolean {
  checkMessage('hasLegacyShape', 'blob', blob, 'BlobProto');
  return has(blob, 'num') || has(blob, 'channels') || has(blob, 'height') || has(blob, 'width');
}

/** A blob's shape; the four old fields win over `shape`, as in Caffe. A blob with neither is a scalar: []. */
export function blobShape(blob: BlobProto): number[] {
  checkMessage('blobShape', 'blob', blob, 'BlobProto');
  if (hasLegacyShape(blob)) return [blob.num, blob.channels, blob.height, blob.width];
  return blob.shape ? [...blob.shape.dim] : [];
}

/** Number of elements that a blob's shape promises. Negative dimensions and products beyond 2^53 are errors. */
export function blobCount(blob: BlobProto, place: ErrorContext = {}): number {
  const shape = blobShape(blob);
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (shape.some((dim) => dim < 0) || !Number.isSafeInteger(count)) {
    throw new FormatError(`a blob cannot have the shape [${shape.join(', ')}]`, place);
  }
  return count;
}

/**
 * Whether a stored blob fits a shape. Old blobs always have four dimensions, those in front being 1: they fit
 * any shape of up to four that is the same behind leading ones.
 */
export function blobShapeFits(blob: BlobProto, shape: readonly number[]): boolean {
  const stored = blobShape(blob);
  checkArgument('blobShapeFits', 'shape', shape, required(listOf(whole(0))));
  if (!hasLegacyShape(blob))
    return stored.length === shape.length && stored.every((dim, i) => dim === shape[i]);
  if (shape.length > 4) return false;
  const padded = [...Array.from({ length: 4 - shape.length }, () => 1), ...shape];
  return stored.every((dim, i) => dim === padded[i]);
}

function values(blob: BlobProto, field: 'data' | 'diff', place: ErrorContext): Float32Array {
  const double = blob[`double_${field}`];
  const stored = double.length > 0 ? double : blob[field];
  const count = blobCount(blob, place);
  if (stored.length !== count) {
    const shape = blobShape(blob).join(', ');
    throw new FormatError(`a blob of shape [${shape}] needs ${count} values and has ${stored.length}`, place);
  }
  return isTypedArray(stored, Float32Array) ? stored : Float32Array.from(stored);
}

/** A blob's values: `data`, or `double_data` rounded to float32. Their number is checked against the shape. */
export function blobData(blob: BlobProto, place: ErrorContext = {}): Float32Array {
  checkMessage('blobData', 'blob', blob, 'BlobProto');
  return values(blob, 'data', { field: 'data', ...place });
}

/** A blob's gradients, or null where it holds none. */
export function blobDiff(blob: BlobProto, place: ErrorContext = {}): Float32Array | null {
  checkMessage('blobDiff', 'blob', blob, 'BlobProto');
  if (blob.diff.length === 0 && blob.double_diff.length === 0) return null;
  return values(blob, 'diff', { field: 'diff', ...place });
}

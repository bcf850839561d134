import { Blob } from '../blob/index.js';
import { ops, type NativeStream } from '../native/index.js';

/** One zero, copied wherever zeros are wanted. */
const zero = new Blob('zero', [1]);

/** Sets a blob's diff to zeros, on the stream. */
export function zeroDiff(blob: Blob, stream: NativeStream, label: string): void {
  if (blob.count === 0) return;
  const images = blob.shape[0] ?? 1;
  ops.copyStrided(stream, {
    src: zero.tensor(),
    dst: blob.diffTensor(),
    counts: [images, blob.count / images],
    srcStrides: [0, 0],
    dstStrides: [blob.count / images, 1],
    label,
  });
}

import type { Blob } from '../blob/index.js';
import { ops, type NativeStream } from '../native/index.js';

/**
 * Copies between a blob and a part of it: `part` are the elements of `whole` that begin at `start` along an axis.
 * Nothing is done where both use the same memory.
 */
export function copyPart(
  stream: NativeStream,
  direction: 'join' | 'cut',
  {
    whole,
    part,
    axis,
    start,
    label,
  }: { whole: Blob; part: Blob; axis: number; start: number; label: string },
): void {
  if (whole.owner === part.owner || part.count === 0) return;
  const [wholeRow, partRow] = [whole.countFrom(axis), part.countFrom(axis)];
  const offset = start * whole.countFrom(axis + 1);
  const counts = [whole.countFrom(0, axis), partRow];
  if (direction === 'join')
    ops.copyStrided(stream, {
      src: part.tensor(),
      dst: whole.tensor(),
      dstOffset: offset,
      counts,
      srcStrides: [partRow, 1],
      dstStrides: [wholeRow, 1],
      label,
    });
  else
    ops.copyStrided(stream, {
      src: whole.tensor(),
      dst: part.tensor(),
      srcOffset: offset,
      counts,
      srcStrides: [wholeRow, 1],
      dstStrides: [partRow, 1],
      label,
    });
}

import type { Blob } from '../blob/index.js';
import { ops, type NativeStream } from '../native/index.js';

/**
 * Copies between a blob and a part of it: `part` are the elements of `whole` that begin at `start` along an axis.
 * Nothing is done where both use the same memory. `diff` copies their diffs instead of their data.
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
    diff = false,
  }: { whole: Blob; part: Blob; axis: number; start: number; label: string; diff?: boolean },
): void {
  const same = diff ? whole.diffOwner === part.diffOwner : whole.owner === part.owner;
  if (same || part.count === 0) return;
  const tensor = (blob: Blob) => (diff ? blob.diffTensor() : blob.tensor());
  const [wholeRow, partRow] = [whole.countFrom(axis), part.countFrom(axis)];
  const offset = start * whole.countFrom(axis + 1);
  const counts = [whole.countFrom(0, axis), partRow];
  if (direction === 'join')
    ops.copyStrided(stream, {
      src: tensor(part),
      dst: tensor(whole),
      dstOffset: offset,
      counts,
      srcStrides: [partRow, 1],
      dstStrides: [wholeRow, 1],
      label,
    });
  else
    ops.copyStrided(stream, {
      src: tensor(whole),
      dst: tensor(part),
      srcOffset: offset,
      counts,
      srcStrides: [wholeRow, 1],
      dstStrides: [partRow, 1],
      label,
    });
}

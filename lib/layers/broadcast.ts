import type { Blob } from '../blob/index.js';
import type { Layer } from '../graph/layer.js';

/** `axis` and `num_axes` of a Scale or Bias layer. */
export interface BroadcastParam {
  axis: number;
  num_axes: number;
}

/** The shape of a learned factor: `num_axes` axes of the bottom from `axis` on, -1 for all that follow. */
export function learnedShape(
  layer: Layer,
  place: string,
  bottom: Blob,
  { axis: given, num_axes: count }: BroadcastParam,
): readonly number[] {
  const axis = bottom.axis(given);
  if (count < -1) layer.fail('must be at least -1', `${place}.num_axes`);
  const end = count < 0 ? bottom.shape.length : axis + count;
  if (end > bottom.shape.length)
    layer.fail(`ends beyond the axes of bottom ${bottom.shapeText}`, `${place}.num_axes`);
  return bottom.shape.slice(axis, end);
}

/** Which axes of the bottom a factor of this shape has; an error where they differ. */
export function broadcastAxes(
  layer: Layer,
  bottom: Blob,
  factor: Blob,
  given: number,
): { axis: number; axes: number } {
  const axes = factor.shape.length;
  // A factor without axes applies to everything, wherever it is said to start.
  const axis = axes === 0 ? 0 : bottom.axis(given);
  if (factor.shape.some((dim, i) => dim !== bottom.shape[axis + i]))
    layer.fail(
      `'${factor.name}' ${factor.shapeText} does not fit bottom '${bottom.name}' ${bottom.shapeText} from axis ${axis} on`,
    );
  return { axis, axes };
}

/** A blob as codes lie: images, channels, height, width; spatial axes that it lacks are 1. */
export interface CodeShape {
  readonly images: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * How a blob of this shape is seen as maps of codes; null for one without images or with more than two spatial
 * axes. Of one spatial axis, as of a convolution over it, the height is 1.
 */
export function codeShapeOf(shape: readonly number[]): CodeShape | null {
  if (shape.length < 2 || shape.length > 4 || shape.some((dim) => dim < 1)) return null;
  const [images, channels, ...spatial] = shape;
  return {
    images,
    channels,
    height: spatial.length === 2 ? spatial[0] : 1,
    width: spatial.length > 0 ? spatial[spatial.length - 1] : 1,
  };
}

export function codeCount({ channels, height, width }: CodeShape): number {
  return channels * height * width;
}

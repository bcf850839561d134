/** A polyline in the glyph's square: x to the right and y downwards, both -1 to 1. */
export type Stroke = readonly (readonly [x: number, y: number])[];

/** A part of an ellipse as a polyline; angles in degrees, clockwise from the right. */
function arc(x: number, y: number, radiusX: number, radiusY: number, from: number, to: number): Stroke {
  const pieces = Math.max(2, Math.ceil(Math.abs(to - from) / 30));
  return Array.from({ length: pieces + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / pieces) * Math.PI) / 180;
    return [x + radiusX * Math.cos(angle), y + radiusY * Math.sin(angle)] as const;
  });
}

const line = (...points: [number, number][]): Stroke => points;

/** An upper right bowl, as of P and R. */
const bowl: Stroke = [[-0.7, -1], [0, -1], ...arc(0, -0.45, 0.65, 0.55, -90, 90), [0, 0.1], [-0.7, 0.1]];
const stem = line([-0.7, -1], [-0.7, 1]);

/**
 * The classes, in the order of their labels. Several pairs differ in one stroke alone (E and F, P and R, O and Q,
 * C and G), so a net has to see parts and where they stand, not just how much ink there is.
 */
export const glyphs: readonly { name: string; strokes: readonly Stroke[] }[] = [
  { name: 'A', strokes: [line([-0.8, 1], [0, -1], [0.8, 1]), line([-0.45, 0.3], [0.45, 0.3])] },
  { name: 'C', strokes: [arc(0, 0, 0.8, 1, -40, -320)] },
  { name: 'E', strokes: [line([0.7, -1], [-0.7, -1], [-0.7, 1], [0.7, 1]), line([-0.7, 0], [0.5, 0])] },
  { name: 'F', strokes: [line([0.7, -1], [-0.7, -1], [-0.7, 1]), line([-0.7, 0], [0.5, 0])] },
  {
    name: 'G',
    strokes: [arc(0, 0, 0.8, 1, -40, -320), line([0.61, 0.64], [0.61, 0.1], [0.1, 0.1])],
  },
  { name: 'H', strokes: [stem, line([0.7, -1], [0.7, 1]), line([-0.7, 0], [0.7, 0])] },
  { name: 'K', strokes: [stem, line([0.7, -1], [-0.7, 0.1]), line([-0.3, -0.2], [0.75, 1])] },
  { name: 'O', strokes: [arc(0, 0, 0.8, 1, 0, 360)] },
  { name: 'P', strokes: [stem, bowl] },
  { name: 'Q', strokes: [arc(0, 0, 0.8, 1, 0, 360), line([0.2, 0.35], [0.85, 1.05])] },
  { name: 'R', strokes: [stem, bowl, line([-0.1, 0.1], [0.7, 1])] },
  { name: 'X', strokes: [line([-0.75, -1], [0.75, 1]), line([0.75, -1], [-0.75, 1])] },
];

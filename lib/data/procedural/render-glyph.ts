import { RandomWords } from '../../util/philox.js';
import { glyphs, type Stroke } from './glyphs.js';

/** Height and width of the images. */
export const GLYPH_IMAGE_SIZE = 32;

type Color = readonly [blue: number, green: number, red: number];

/** Ends of a piece of a stroke and its direction over its length squared. */
interface Segment {
  x: number;
  y: number;
  dx: number;
  dy: number;
  over: number;
}

function segmentsOf(strokes: readonly Stroke[]): Segment[] {
  return strokes.flatMap((points) =>
    points.slice(1).map(([toX, toY], i) => {
      const [x, y] = points[i];
      const [dx, dy] = [toX - x, toY - y];
      return { x, y, dx, dy, over: 1 / Math.max(1e-12, dx * dx + dy * dy) };
    }),
  );
}

const glyphSegments = glyphs.map(({ strokes }) => segmentsOf(strokes));

/** Distance from a point to the nearest of the segments. */
function distance(segments: readonly Segment[], x: number, y: number): number {
  let nearest = Infinity;
  for (const { x: fromX, y: fromY, dx, dy, over } of segments) {
    const [px, py] = [x - fromX, y - fromY];
    const along = Math.min(1, Math.max(0, (px * dx + py * dy) * over));
    const [qx, qy] = [px - along * dx, py - along * dy];
    nearest = Math.min(nearest, qx * qx + qy * qy);
  }
  return Math.sqrt(nearest);
}

class Draw {
  constructor(private readonly words: RandomWords) {}

  between(low: number, high: number): number {
    return low + (high - low) * this.words.uniform();
  }

  color(): Color {
    return [this.between(0, 255), this.between(0, 255), this.between(0, 255)];
  }

  /** A color at least so far from another one in brightness, in either direction. */
  contrasting(other: Color, least: number): Color {
    for (;;) {
      const color = this.color();
      if (Math.abs(brightness(color) - brightness(other)) >= least) return color;
    }
  }

  /** About normal with mean 0 and deviation 1, from one word: an image takes 3072 of them. */
  noise(): number {
    const word = this.words.next();
    // The sum of four bytes has the deviation 2 * sqrt((256^2 - 1) / 12).
    return ((word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510) / 147.8;
  }
}

const brightness = ([blue, green, red]: Color): number => 0.114 * blue + 0.587 * green + 0.299 * red;

/** Lays a stroke's colour over the image; `coverage` gives how much of a pixel it covers. */
function paint(image: Float64Array, color: Color, coverage: (x: number, y: number) => number): void {
  const plane = GLYPH_IMAGE_SIZE ** 2;
  for (let i = 0; i < plane; i++) {
    const part = coverage((i % GLYPH_IMAGE_SIZE) + 0.5, Math.floor(i / GLYPH_IMAGE_SIZE) + 0.5);
    if (part > 0)
      for (let c = 0; c < 3; c++) image[c * plane + i] += part * (color[c] - image[c * plane + i]);
  }
}

/** Short strokes anywhere: what looks like a part of a glyph may be none. */
function paintClutter(image: Float64Array, draw: Draw): void {
  const place = () => draw.between(-4, GLYPH_IMAGE_SIZE + 4);
  for (let left = Math.floor(draw.between(2, 6)); left > 0; left--) {
    const [x, y, angle] = [place(), place(), draw.between(0, 2 * Math.PI)];
    const length = draw.between(4, 13);
    const piece = segmentsOf([
      [
        [x, y],
        [x + length * Math.cos(angle), y + length * Math.sin(angle)],
      ],
    ]);
    const half = draw.between(0.5, 1.4);
    paint(image, draw.color(), (px, py) => Math.min(1, Math.max(0, half + 0.5 - distance(piece, px, py))));
  }
}

/** The glyph turned, sheared, stretched and moved; strokes keep about the same thickness in pixels. */
function paintGlyph(image: Float64Array, label: number, color: Color, draw: Draw): void {
  const angle = draw.between(-0.45, 0.45);
  const shear = draw.between(-0.3, 0.3);
  const [scaleX, scaleY] = [draw.between(5.5, 10.5), draw.between(6.5, 11.5)];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // Columns of the map from the glyph's square to pixels.
  const [ax, ay] = [cos * scaleX, sin * scaleX];
  const [bx, by] = [(shear * cos - sin) * scaleY, (shear * sin + cos) * scaleY];
  const over = 1 / (ax * by - bx * ay);
  const middle = GLYPH_IMAGE_SIZE / 2;
  const [x0, y0] = [middle + draw.between(-4.5, 4.5), middle + draw.between(-4.5, 4.5)];
  const pixels = Math.sqrt(scaleX * scaleY);
  const half = draw.between(0.7, 1.7);
  const segments = glyphSegments[label];
  paint(image, color, (px, py) => {
    const [x, y] = [px - x0, py - y0];
    const away = distance(segments, (x * by - y * bx) * over, (y * ax - x * ay) * over) * pixels;
    return Math.min(1, Math.max(0, half + 0.5 - away));
  });
}

/**
 * One image of a class as planes of blue, green and red: a glyph in any colour before clutter in other colours,
 * under light from one side, with noise. It depends on the seed, the set's name and the index alone.
 */
export function renderGlyph(label: number, seed: number, set: string, index: number): Uint8Array {
  const draw = new Draw(new RandomWords(seed, `procedural/${set}`, index));
  const plane = GLYPH_IMAGE_SIZE ** 2;
  const image = new Float64Array(3 * plane);
  const background = draw.color();
  for (let c = 0; c < 3; c++) image.fill(background[c], c * plane, (c + 1) * plane);
  paintClutter(image, draw);
  paintGlyph(image, label, draw.contrasting(background, 45), draw);

  const lamp = draw.between(0, 2 * Math.PI);
  const [lightX, lightY] = [Math.cos(lamp) / GLYPH_IMAGE_SIZE, Math.sin(lamp) / GLYPH_IMAGE_SIZE];
  const [level, slope, deviation] = [draw.between(0.6, 1.1), draw.between(0, 0.8), draw.between(6, 26)];
  const bytes = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const x = (i % GLYPH_IMAGE_SIZE) - GLYPH_IMAGE_SIZE / 2;
    const y = Math.floor(i / GLYPH_IMAGE_SIZE) - GLYPH_IMAGE_SIZE / 2;
    const light = level + slope * (x * lightX + y * lightY);
    for (let k = i; k < 3 * plane; k += plane)
      bytes[k] = Math.min(255, Math.max(0, Math.round(image[k] * light + deviation * draw.noise())));
  }
  return bytes;
}

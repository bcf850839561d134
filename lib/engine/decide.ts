import { describeFormat, type TrimFormat } from '../formats/index.js';
import type { NetLayer } from '../graph/index.js';
import { Concat } from '../layers/concat.js';
import { Deconvolution } from '../layers/deconvolution.js';
import { Dropout } from '../layers/dropout.js';
import { Flatten } from '../layers/flatten.js';
import { InnerProduct } from '../layers/inner-product.js';
import { Pooling, type PoolingGeometry } from '../layers/pooling.js';
import { Quantized } from '../layers/quantized.js';
import { SpatialLayer } from '../layers/spatial-layer.js';
import { Split } from '../layers/split.js';
import { extent, type Window } from '../layers/window.js';
import type { CodeFormat, Rounding } from '../native/index.js';
import { Phase } from '../proto/index.js';
import { codeShapeOf, type CodeShape } from './code-shape.js';
import type { Value, Wiring } from './values.js';

/** The widest codes that the engine stores. */
export const MOST_BITS = 16;

/** The formats of a layer that multiplies codes. */
export interface ProductFormats {
  input: CodeFormat;
  weights: CodeFormat;
  output: CodeFormat;
  rounding: Rounding;
}

/** What a layer becomes. `carries`: passes codes on as they are. */
export type Decision =
  | { kind: 'product'; formats: ProductFormats }
  | { kind: 'relu' | 'maxPooling' | 'averagePooling' | 'concat' | 'carries' }
  | { kind: 'float'; reason: string };

function float(reason: string): Decision {
  return { kind: 'float', reason };
}

/** Why a format is none of codes that the engine stores; null where it is one. */
function refuseFormat(format: TrimFormat | null, what: string): string | null {
  if (format?.kind !== 'dynamicFixedPoint')
    return `${what}: ${describeFormat(format)}, not dynamic fixed point`;
  if (format.bitWidth > MOST_BITS) return `${what}: ${format.bitWidth} bits are more than ${MOST_BITS}`;
  if (format.rounding === 'stochastic') return `${what}: rounds stochastically`;
  return null;
}

/** Whether a deconvolution's padding exceeds what a convolution with padding can make of it. */
function cropsBeyondKernel({ kernel, pad, dilation }: Window): boolean {
  return pad.h > extent(kernel.h, dilation.h) - 1 || pad.w > extent(kernel.w, dilation.w) - 1;
}

function refuseShapes(layer: Quantized, [bottom]: readonly Value[]): string | null {
  const { plain } = layer;
  if (plain instanceof Deconvolution && cropsBeyondKernel(plain.geometry.window))
    return 'its padding cuts off more than a kernel reaches';
  if (plain instanceof SpatialLayer)
    return plain.geometry.axis === 1 && codeShapeOf(bottom.blob.shape)
      ? null
      : `a bottom of shape ${bottom.blob.shapeText} is no batch of maps`;
  if (plain instanceof InnerProduct) {
    if (plain.transpose) return 'transposed weights';
    return plain.axis === 1 && bottom.blob.count > 0
      ? null
      : `flattens from axis ${plain.axis} on, not from 1`;
  }
  return `no kernel on codes for type ${layer.type}`;
}

function code({
  bitWidth,
  fractionalLength,
}: Extract<TrimFormat, { kind: 'dynamicFixedPoint' }>): CodeFormat {
  return { bitWidth, fractionalLength };
}

/** A quantised layer's formats where it can run on codes, as far as is known without its weights; else why not. */
export function decideQuantised(layer: Quantized, bottoms: readonly Value[]): Decision {
  const { input, weights, bias, output } = layer.formats;
  const reason =
    refuseFormat(input, 'input') ??
    refuseFormat(weights, 'weights') ??
    (layer.blobs.length > 1 ? refuseFormat(bias, 'bias') : null) ??
    refuseFormat(output, 'output') ??
    (layer.context.phase === Phase.TEST ? null : 'the TRAIN phase rounds weights stochastically') ??
    (bottoms.length === 1 ? null : `${bottoms.length} bottoms`) ??
    refuseShapes(layer, bottoms);
  if (reason !== null) return float(reason);
  const fixed = (format: TrimFormat | null) =>
    code(format as Extract<TrimFormat, { kind: 'dynamicFixedPoint' }>);
  return {
    kind: 'product',
    formats: {
      input: fixed(input),
      weights: fixed(weights),
      output: fixed(output),
      rounding: input?.rounding ?? 'halfAwayFromZero',
    },
  };
}

/** Whether a window of the pooling lies beside the image altogether: its maximum has no code. */
function hasEmptyWindow({ kernel, stride, pad }: PoolingGeometry, from: CodeShape, to: CodeShape): boolean {
  const empty = (axis: 'h' | 'w', length: number, count: number) =>
    (count - 1) * stride[axis] - pad[axis] >= length || kernel[axis] <= pad[axis];
  return empty('h', from.height, to.height) || empty('w', from.width, to.width);
}

function decidePooling(layer: Pooling, { blob }: Value, tops: readonly Value[]): Decision {
  const { kind } = layer.geometry;
  if (kind !== 'max' && kind !== 'average') return float(`${kind} pooling is computed in float32`);
  if (tops.length > 1) return float('has a top for the places of the maxima');
  const [from, to] = [codeShapeOf(blob.shape), codeShapeOf(tops[0].blob.shape)];
  if (kind === 'max' && from && to && hasEmptyWindow(layer.geometry, from, to))
    return float('has windows outside of the image');
  return { kind: kind === 'max' ? 'maxPooling' : 'averagePooling' };
}

/** What a layer whose bottoms are all codes becomes. */
function decideOnCodes(entry: NetLayer, bottoms: readonly Value[], tops: readonly Value[]): Decision {
  const { layer, type } = entry;
  if (type === 'ReLU')
    return (layer.param.relu_param?.negative_slope ?? 0) === 0
      ? { kind: 'relu' }
      : float('a ReLU with a slope is computed in float32');
  if (layer instanceof Pooling) return decidePooling(layer, bottoms[0], tops);
  if (layer instanceof Split) return { kind: 'carries' };
  if (layer instanceof Dropout)
    return layer.context.phase === Phase.TEST ? { kind: 'carries' } : float('draws in the TRAIN phase');
  if (layer instanceof Flatten)
    return tops[0].blob.shape.length === 2 && tops[0].blob.shape[0] === bottoms[0].blob.shape[0]
      ? { kind: 'carries' }
      : float('joins other axes than all behind the images');
  if (layer instanceof Concat) {
    if (layer.axis !== 1) return float(`joins along axis ${layer.axis}, not along the channels`);
    return { kind: 'concat' };
  }
  return float(`${type} is computed in float32`);
}

/**
 * Decides for every layer whether it runs on codes, from the first to the last: what only passes codes on does
 * so where its bottoms are codes. `refused` are layers that their weights keep from running on integers.
 */
export function decide(wiring: Wiring, refused: ReadonlyMap<NetLayer, string>): Map<NetLayer, Decision> {
  const decisions = new Map<NetLayer, Decision>();
  const coded = new Set<Value>();
  /** Flattened maps keep their form, so that their channels are not what their shape says. */
  const flattened = new Set<Value>();
  for (const entry of wiring.layers) {
    const [bottoms, tops] = [wiring.bottomsOf(entry), wiring.topsOf(entry)];
    const one = (): Decision => {
      if (entry.lossWeights.some((weight) => weight !== 0)) return float('counts in the loss');
      const because = refused.get(entry);
      if (because !== undefined) return float(because);
      if (entry.layer instanceof Quantized) return decideQuantised(entry.layer, bottoms);
      if (bottoms.length === 0) return float('a source of data');
      if (!bottoms.every((value) => coded.has(value)))
        return float(
          entry.layer.learnable.length ? `${entry.type} is not quantised` : 'its bottoms are float32',
        );
      if (bottoms.some((value) => flattened.has(value)) && entry.layer instanceof Concat)
        return float('joins flattened maps');
      return decideOnCodes(entry, bottoms, tops);
    };
    const decision = one();
    decisions.set(entry, decision);
    if (decision.kind === 'float' || decision.kind === 'averagePooling') continue;
    const joins = entry.layer instanceof Flatten && bottoms[0].blob.countFrom(2) > 1;
    const inherits = decision.kind !== 'product' && bottoms.some((value) => flattened.has(value));
    for (const value of tops) {
      coded.add(value);
      if (joins || inherits) flattened.add(value);
    }
  }
  return decisions;
}

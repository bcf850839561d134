import type { Blob } from '../blob/index.js';
import type {
  BackwardPass,
  BackwardReads,
  BlobCount,
  Layer,
  LayerContext,
  LayerRegistry,
} from '../graph/layer.js';
import { ops, type NativeStream, type UnaryFunction } from '../native/index.js';
import { create, type LayerParameter } from '../proto/index.js';
import { ImageLayer } from './image-layer.js';

/** A function of one number with its parameters, as the native op takes them. */
interface Applied {
  function: UnaryFunction;
  a?: number;
  b?: number;
  c?: number;
}

/**
 * Whose values the derivative is computed from: the top's, so that the layer may work in place, or the bottom's;
 * a slope that is the same everywhere needs neither.
 */
function readsOf({ function: name, a = 0, c = 0 }: Applied): 'bottom' | 'top' | 'neither' {
  switch (name) {
    case 'relu':
    case 'elu':
      // Where negative inputs give positive values, these do not tell what they were made from.
      return a >= 0 ? 'top' : 'bottom';
    case 'exponent':
    case 'sigmoid':
    case 'tanh':
      return 'top';
    case 'power':
      return c === 1 ? 'neither' : 'bottom';
    default:
      return 'bottom';
  }
}

/** A layer that applies one function to every element; in place where the prototxt says so. */
class Unary extends ImageLayer {
  readonly bottoms: BlobCount = { exact: 1 };
  readonly tops: BlobCount = { exact: 1 };
  readonly #applied: Applied;

  constructor(param: LayerParameter, context: LayerContext, read: (layer: Layer) => Applied) {
    super(param, context);
    this.#applied = read(this);
  }

  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    if (top !== bottom) top.reshape(bottom.shape);
  }

  override forward([bottom]: readonly Blob[], [top]: readonly Blob[], stream: NativeStream): void {
    ops.unary(stream, { src: bottom.tensor(), dst: top.tensor(), ...this.#applied, label: this.name });
  }

  override backward({ bottom: [bottom], top: [top] }: BackwardPass, stream: NativeStream): void {
    if (this.#applied.function === 'threshold') this.fail('a threshold has no gradient');
    const values = readsOf(this.#applied) === 'top' ? top : bottom;
    ops.unaryGradient(stream, {
      values: values.tensor(),
      dstDiff: top.diffTensor(),
      srcDiff: bottom.diffTensor(),
      ...this.#applied,
      label: this.name,
    });
  }

  override get backwardReads(): BackwardReads {
    const reads = readsOf(this.#applied);
    return { bottom: reads === 'bottom', top: reads === 'top' };
  }

  override get repeats(): boolean {
    return true;
  }
}

/** The natural logarithm of a base; -1 stands for e. */
function logarithmOf(layer: Layer, base: number, field: string): number {
  if (base === -1) return 1;
  const result = Math.log(base);
  if (!(base > 0) || !Number.isFinite(result)) layer.fail(`${base} is not a positive number`, field);
  return result;
}

/** By layer type: which function, with which parameters. */
const functions: Record<string, (layer: Layer) => Applied> = {
  AbsVal: () => ({ function: 'absolute' }),
  BNLL: () => ({ function: 'bnll' }),
  Clip: (layer) => {
    const clip = layer.param.clip_param;
    if (!clip) return layer.fail('is missing', 'clip_param');
    return { function: 'clip', a: clip.min, b: clip.max };
  },
  ELU: ({ param }) => ({ function: 'elu', a: (param.elu_param ?? create('ELUParameter')).alpha }),
  Exp: (layer) => {
    const { base, scale, shift } = layer.param.exp_param ?? create('ExpParameter');
    const logarithm = logarithmOf(layer, base, 'exp_param.base');
    return { function: 'exponent', a: logarithm * scale, b: Math.exp(logarithm * shift) };
  },
  Log: (layer) => {
    const { base, scale, shift } = layer.param.log_param ?? create('LogParameter');
    const logarithm = logarithmOf(layer, base, 'log_param.base');
    if (logarithm === 0) layer.fail('a logarithm to base 1 does not exist', 'log_param.base');
    return { function: 'logarithm', a: scale, b: shift, c: 1 / logarithm };
  },
  Power: ({ param }) => {
    const { power, scale, shift } = param.power_param ?? create('PowerParameter');
    if (power * scale !== 0) return { function: 'power', a: scale, b: shift, c: power };
    // The input does not matter then, even where it is infinite.
    const value = power === 0 ? 1 : shift ** power;
    return { function: 'clip', a: value, b: value };
  },
  ReLU: ({ param }) => ({ function: 'relu', a: param.relu_param?.negative_slope ?? 0 }),
  Sigmoid: () => ({ function: 'sigmoid' }),
  Swish: ({ param }) => ({ function: 'swish', a: (param.swish_param ?? create('SwishParameter')).beta }),
  TanH: () => ({ function: 'tanh' }),
  Threshold: ({ param }) => ({ function: 'threshold', a: param.threshold_param?.threshold ?? 0 }),
};

export const unaryLayers: LayerRegistry = Object.fromEntries(
  Object.entries(functions).map(([type, read]) => [
    type,
    (param: LayerParameter, context: LayerContext) => new Unary(param, context, read),
  ]),
);

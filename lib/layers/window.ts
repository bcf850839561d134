import type { Layer } from '../graph/layer.js';
import { has, type ConvolutionParameter } from '../proto/index.js';

/** A pair of numbers for the two spatial axes. */
export interface Spatial {
  h: number;
  w: number;
}

/** Kernel, stride, padding and dilation of a convolution over one or two spatial axes. */
export interface Window {
  kernel: Spatial;
  stride: Spatial;
  pad: Spatial;
  dilation: Spatial;
}

/**
 * Reads a convolution's window as Caffe does: each of the four is given once for all spatial axes, once per
 * axis, or (kernel, stride, pad) as `_h` and `_w`. One spatial axis becomes a window of height 1.
 */
export function readWindow(layer: Layer, param: ConvolutionParameter, spatialAxes: number): Window {
  const place = (field: string) => `convolution_param.${field}`;
  const read = (
    field: 'kernel_size' | 'stride' | 'pad' | 'dilation',
    pair: readonly ['kernel_h' | 'stride_h' | 'pad_h', 'kernel_w' | 'stride_w' | 'pad_w'] | null,
    fallback: number | null,
    least: number,
  ): Spatial => {
    const given: readonly number[] = param[field];
    let values: number[];
    if (pair && (has(param, pair[0]) || has(param, pair[1]))) {
      if (spatialAxes !== 2)
        layer.fail(`needs two spatial axes, the bottom has ${spatialAxes}`, place(pair[0]));
      if (given.length) layer.fail(`give either ${field} or ${pair.join(' and ')}, not both`, place(field));
      values = [param[pair[0]], param[pair[1]]];
    } else {
      if (given.length === 0 && fallback !== null) values = Array<number>(spatialAxes).fill(fallback);
      else if (given.length === 1) values = Array<number>(spatialAxes).fill(given[0]);
      else if (given.length === spatialAxes) values = [...given];
      else
        layer.fail(
          `must be given once or once per spatial axis (${spatialAxes}); it is given ${given.length} times`,
          place(field),
        );
    }
    for (const value of values)
      if (value < least) layer.fail(`must be at least ${least}, not ${value}`, place(field));
    return spatialAxes === 1 ? { h: field === 'pad' ? 0 : 1, w: values[0] } : { h: values[0], w: values[1] };
  };
  return {
    kernel: read('kernel_size', ['kernel_h', 'kernel_w'], null, 1),
    stride: read('stride', ['stride_h', 'stride_w'], 1, 1),
    pad: read('pad', ['pad_h', 'pad_w'], 0, 0),
    dilation: read('dilation', null, 1, 1),
  };
}

/** Length of the input that one window covers along an axis. */
export function extent(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

import type { Blob } from '../blob/index.js';
import type { NetLayer } from '../graph/index.js';
import type { CodeFormat, Rounding } from '../native/index.js';
import type { ProductFormats } from './decide.js';
import type { CodeSlice } from './storage.js';

/** Kernel, stride, padding, dilation of a convolution or pooling. */
export interface Geometry {
  kernelH: number;
  kernelW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

export interface ProductGeometry extends Geometry {
  dilationH: number;
  dilationW: number;
  /** Distance of the input's rows and columns, with zeros between them. */
  spreadH: number;
  spreadW: number;
}

/** Some channels of a float blob. */
export interface FloatSlice {
  readonly blob: Blob;
  readonly channel: number;
  readonly channels: number;
}

interface StepOf {
  /** The layer that the step is part of. */
  readonly entry: NetLayer;
}

export interface ProductStep extends StepOf {
  readonly kind: 'convolution';
  readonly src: CodeSlice;
  readonly dst: CodeSlice;
  readonly geometry: ProductGeometry;
  /** A deconvolution: its weights are stored input channels first and the other way round. */
  readonly transposed: boolean;
  readonly group: number;
  readonly formats: ProductFormats;
  readonly relu: boolean;
  readonly consumer: CodeFormat | null;
  /** Maximum pooling that the step does along, and the size of the maps that it reads; dst is the pooling's then. */
  readonly pool: { readonly geometry: Geometry; readonly height: number; readonly width: number } | null;
}

/** One native call of an integer plan, or a layer that computes in float32. */
export type Step =
  | ProductStep
  | (StepOf & {
      readonly kind: 'quantise';
      readonly src: FloatSlice;
      readonly dst: CodeSlice;
      readonly format: CodeFormat;
      readonly rounding: Rounding;
    })
  | (StepOf & {
      readonly kind: 'requantise';
      readonly src: CodeSlice;
      readonly dst: CodeSlice;
      readonly from: CodeFormat;
      readonly format: CodeFormat;
      readonly rounding: Rounding;
      readonly relu: boolean;
    })
  | (StepOf & {
      readonly kind: 'maxPooling';
      readonly src: CodeSlice;
      readonly dst: CodeSlice;
      readonly geometry: Geometry;
    })
  | (StepOf & {
      readonly kind: 'averagePooling';
      readonly src: CodeSlice;
      readonly dst: FloatSlice;
      readonly geometry: Geometry;
      readonly from: CodeFormat;
    })
  | (StepOf & {
      readonly kind: 'dequantise';
      readonly src: CodeSlice;
      readonly dst: FloatSlice;
      readonly from: CodeFormat;
    })
  | (StepOf & { readonly kind: 'float' });

/** The codes that a step reads and writes. */
export function slicesTouched(step: Step): CodeSlice[] {
  switch (step.kind) {
    case 'convolution':
    case 'requantise':
    case 'maxPooling':
      return [step.src, step.dst];
    case 'quantise':
      return [step.dst];
    case 'averagePooling':
    case 'dequantise':
      return [step.src];
    case 'float':
      return [];
  }
}

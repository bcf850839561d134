export type * from './surface.js';
import { addon } from './loader.js';

export const {
  Buffer: NativeMemory,
  Tensor,
  CodeTensor,
  PackedWeights,
  Stream,
  LmdbReader,
  LmdbWriter,
  convertImage,
  cpuFeatures,
  devices,
  useDevice,
  benchConvolutionFixed,
  benchSpan,
  fixedBound,
  ops,
} = addon;

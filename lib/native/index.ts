export type * from './surface.js';
import { addon } from './loader.js';

export { currentDevice, NativeMemory, onDevice, Stream, useDevice } from './device.js';

export const {
  Tensor,
  CodeTensor,
  PackedWeights,
  LmdbReader,
  LmdbWriter,
  convertImage,
  cpuFeatures,
  devices,
  Device,
  benchConvolutionFixed,
  benchSpan,
  fixedBound,
  ops,
} = addon;

export type * from './surface.js';
import { addon } from './loader.js';
import type { NativeCancellation } from './surface.js';

export {
  currentDevice,
  Device,
  deviceKind,
  instructionSetKind,
  NativeMemory,
  onDevice,
  Stream,
  streamKind,
  useDevice,
} from './device.js';

export const {
  Tensor,
  CodeTensor,
  PackedWeights,
  Cancellation,
  LmdbReader,
  LmdbWriter,
  convertImage,
  cpuFeatures,
  devices,
  benchConvolutionFixed,
  benchSpan,
  fixedBound,
  ops,
} = addon;
export type Cancellation = NativeCancellation;

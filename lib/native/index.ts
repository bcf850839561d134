export type * from './surface.js';
import { addon } from './loader.js';

export const {
  Buffer: NativeMemory,
  Tensor,
  PackedWeights,
  Stream,
  LmdbReader,
  LmdbWriter,
  convertImage,
  cpuFeatures,
  ops,
} = addon;

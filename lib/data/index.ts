import { setDefaultRegistry } from '../graph/default-registry.js';
import type { LayerFactory, LayerRegistry } from '../graph/layer.js';
import { layers } from '../layers/index.js';
import { Data } from './data.js';
import { DummyData } from './dummy-data.js';
import { HDF5Data } from './hdf5-data.js';
import { ImageData } from './image-data.js';
import { ImageFolder } from './image-folder.js';
import { MemoryData } from './memory-data.js';

type LayerClass = new (...args: Parameters<LayerFactory>) => ReturnType<LayerFactory>;

function of(Class: LayerClass): LayerFactory {
  return (param, context) => new Class(param, context);
}

/** Every layer type that brings data into a net, by its name in the prototxt; one row each. */
export const dataLayers: LayerRegistry = {
  Data: of(Data),
  DummyData: of(DummyData),
  HDF5Data: of(HDF5Data),
  ImageData: of(ImageData),
  ImageFolder: of(ImageFolder),
  MemoryData: of(MemoryData),
};

/** All layer types. */
export const registry: LayerRegistry = { ...layers, ...dataLayers };
setDefaultRegistry(registry);

export { isRewindable, type Rewindable } from './record-layer.js';
export { MemoryData } from './memory-data.js';
export {
  convertImageset,
  type ConvertImagesetOptions,
  type ConvertImagesetResult,
} from './convert-imageset.js';
export { splitDatabase, type SplitDatabaseOptions } from './split-database.js';
export { computeImageMean, type ComputeImageMeanOptions, type ImageMean } from './compute-image-mean.js';
export { decodeImage, encodeImage, encodeTypes, type ColorMode } from './decode-image.js';
export { glyphs } from './procedural/glyphs.js';
export { inputFile, inputFilesOf } from './input-files.js';
export {
  writeGlyphs,
  writeGlyphSets,
  type GlyphSet,
  type WriteGlyphsOptions,
} from './procedural/write-glyphs.js';

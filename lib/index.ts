/**
 * The public surface: read a net, build it, give it weights, run it. Command lines are thin users of the same
 * calls. Everything that takes long is awaitable and takes an AbortSignal; every deliberate error is a
 * RistrettoError that names the file, the layer and the field.
 */
export {
  DataError,
  FormatError,
  MachineError,
  NetError,
  RistrettoError,
  UsageError,
} from './errors/index.js';
export * from './proto/index.js';
export {
  cpuFeatures,
  Device,
  devices,
  onDevice,
  Stream,
  useDevice,
  type DeviceOptions,
  type GpuInfo,
  type NativeDevice,
  type NativeStream,
  type StreamOptions,
  type StreamTiming,
} from './native/index.js';
export * as kernels from './kernels/index.js';
export { Blob, fill } from './blob/index.js';
export {
  ActivationArena,
  filterNet,
  insertSplits,
  Layer,
  Net,
  type BackwardOptions,
  type BackwardPass,
  type BackwardReads,
  type CopyOptions,
  type CopyReport,
  type ForwardOptions,
  type LayerCheckpoint,
  type LayerContext,
  type LayerFactory,
  type LayerRegistry,
  type NetLayer,
  type NetMemory,
  type NetOptions,
  type NetParam,
  type NetStateValues,
  type Observer,
} from './graph/index.js';
export { layers } from './layers/index.js';
export {
  computeImageMean,
  convertImageset,
  dataLayers,
  glyphs,
  isRewindable,
  MemoryData,
  registry,
  splitDatabase,
  writeGlyphs,
  type ComputeImageMeanOptions,
  type ConvertImagesetOptions,
  type ConvertImagesetResult,
  type ImageMean,
  type Rewindable,
  type SplitDatabaseOptions,
  type WriteGlyphsOptions,
} from './data/index.js';
export {
  learningRate,
  Solver,
  type OutputValue,
  type SolverEvent,
  type SolverOptions,
  type TestResult,
  type WatchOptions,
} from './solver/index.js';
export {
  compareWithSimulation,
  createNet,
  IntegerNet,
  type BlobComparison,
  type Engine,
  type IntegerNetOptions,
  type PlanDescription,
  type RunnableNet,
} from './engine/index.js';
export {
  classify,
  parseIntegerLengths,
  quantize,
  score,
  type BatchScores,
  type ClassifyOptions,
  type EvaluationId,
  type LayerIntegerLengths,
  type LayerRange,
  type LayerReport,
  type NetScores,
  type Prediction,
  type QuantizeEvent,
  type QuantizeOptions,
  type QuantizeResult,
  type ScoreOptions,
  type ScoreResult,
  type TrimmingMode,
} from './quantize/index.js';

export * from './caffe.js';
export {
  clear,
  clone,
  create,
  enumName,
  equals,
  has,
  isMessage,
  type Init,
  type Message,
  type MessageName,
} from './message.js';
export { describeType } from './unknown-types.js';
export { knownLayerTypes, missingLayerType } from './layer-types.js';
export { positionOf, type Position } from './position.js';
export { decode, decodeFile, type DecodeOptions } from './decode.js';
export { encode, encodeFile } from './encode.js';
export { parseText, parseTextFile, type ParseTextOptions } from './parse-text.js';
export { printDouble, printFloat, printText } from './print-text.js';
export { blobCount, blobData, blobDiff, blobShape, blobShapeFits, hasLegacyShape } from './blob-proto.js';
export { upgradeNet, upgradeSolver, type UpgradeOptions } from './upgrade.js';
export {
  readBlobProto,
  readNetBinary,
  readNetText,
  readSolver,
  readSolverState,
  writeBlobProto,
  writeNetBinary,
  writeNetText,
  writeSolver,
  writeSolverState,
} from './files.js';
export { fileKinds, fullFileKindOf, wrongKind, type FileKind } from './file-kind.js';
export { filesNamedBy, filesNamedBySolver, type NamedFile } from './named-files.js';
export { readNetHdf5, readSolverSnapshot, readWeights, writeNetHdf5, writeSolverStateHdf5 } from './hdf5.js';
export { readDeepCompression, type CompressedLayer, type DecompressedLayer } from './deep-compression.js';

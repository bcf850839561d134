export {
  assertWritable,
  makeFolder,
  putInPlace,
  replaceFile,
  writeFileAtomic,
  type ByteSink,
} from './atomic-file.js';
export { isReadOnce, isSpecialFile, realTarget } from './real-path.js';
export { lockOutput, withOutputLock, type OutputLock } from './output-lock.js';
export { addTemporary, keepTemporary, removeTemporary, shortName, temporaryFor } from './temporaries.js';
export { refuseMeetings, sameFile, type NamedPath } from './meetings.js';
export {
  assertReadable,
  entryKind,
  isHdf5File,
  NumbersDataset,
  readInteger,
  readNumbers,
  withHdf5File,
  type Dataset,
  type Group,
  type Hdf5File,
} from './hdf5-file.js';
export { withCallbacks } from './callbacks.js';
export { parseJson, readJsonFile } from './json-file.js';
export {
  linesOf,
  readListFile,
  readTextBytes,
  readTextFile,
  unreadable,
  type ListLine,
  type TextPlace,
} from './text-file.js';

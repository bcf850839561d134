export { assertWritable, putInPlace, replaceFile, writeFileAtomic, type ByteSink } from './atomic-file.js';
export { realTarget } from './real-path.js';
export { lockOutput, withOutputLock, type OutputLock } from './output-lock.js';
export { addTemporary, keepTemporary, removeTemporary, temporaryFor } from './temporaries.js';
export { refuseMeetings, sameFile, type NamedPath } from './meetings.js';
export {
  entryKind,
  isHdf5File,
  readInteger,
  readNumbers,
  readShape,
  withHdf5File,
  type Dataset,
  type Group,
  type Hdf5File,
} from './hdf5-file.js';

export { assertWritable, makeFolder, replaceFile, writeFileAtomic, type ByteSink } from './atomic-file.js';
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

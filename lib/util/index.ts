export { assertWritable, writeFileAtomic, type ByteSink } from './atomic-file.js';

export { Blob, countOf, MAX_BLOB_ELEMENTS } from './blob.js';
export { fill, fillerValues } from './fillers.js';

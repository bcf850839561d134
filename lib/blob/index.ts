export { Blob, countOf, MAX_BLOB_ELEMENTS } from './blob.js';
export { fill } from './fillers.js';

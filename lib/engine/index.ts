/** Quantised nets on integer codes: how each layer is lowered, and running the result. */
export { IntegerNet, type IntegerNetOptions } from './integer-net.js';
export { lower, type Lowering } from './lower.js';

/** Quantised nets on integer codes: how each layer is lowered, and running the result. */
export { createNet, engineKind, ENGINES, type Engine, type RunnableNet } from './choose.js';
export { IntegerNet, type IntegerNetOptions } from './integer-net.js';
export type { CodesRow, PlanDescription, PlanRow } from './describe.js';
export { isQuantisedType } from './unlowered.js';
export { compareNets, compareWithSimulation, type BlobComparison, type Mismatch } from './verify.js';

export { ActivationArena } from './arena.js';
export type { NetLayer } from './build.js';
export { checkTypesOfStates, type NetInState } from './create-layer.js';
export { filterNet, meetsRule, withLayers, type NetStateValues } from './filter-net.js';
export { insertSplits } from './insert-splits.js';
export * from './layer.js';
export type { NetMemory } from './memory.js';
export {
  Net,
  type BackwardOptions,
  type CopyOptions,
  type ForwardOptions,
  type NetOptions,
  type Observer,
} from './net.js';
export type { NetParam } from './params.js';
export { blobToProto, type CopyReport } from './weights.js';
export { sideBySide } from './side-by-side.js';
export { checkWiring } from './wiring.js';

export { ActivationArena } from './arena.js';
export type { NetLayer } from './build.js';
export { checkTypesOfStates, type NetInState } from './create-layer.js';
export { defaultRegistry, setDefaultRegistry } from './default-registry.js';
export { filterNet, meetsRule, withLayers, type NetStateValues } from './filter-net.js';
export { insertSplits } from './insert-splits.js';
export * from './layer.js';
export { FiniteCheck } from './finite-check.js';
export type { NetMemory } from './memory.js';
export {
  Net,
  netClosed,
  type BackwardOptions,
  type CopyOptions,
  type ForwardOptions,
  type NetOptions,
  type Observer,
} from './net.js';
export * from './net-option-kinds.js';
export type { NetParam } from './params.js';
export { blobToProto, type CopyReport } from './weights.js';
export { sideBySide } from './side-by-side.js';
export { checkWiring } from './wiring.js';

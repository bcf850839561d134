export type { BlobMagnitude, OutputValue, SolverEvent, TestResult } from './events.js';
export { LossWindow } from './loss-window.js';
export { NetDefinitions, type NetDefinition, type TestDefinition } from './net-definitions.js';
export type { SolverOptions } from './options.js';
export { learningRate, policies } from './policies/index.js';
export { rules, type UpdateRule } from './rules/index.js';
export { isSnapshotOf, snapshotFiles, snapshotsThere, type SnapshotFiles } from './snapshot-files.js';
export { snapshotsDue, Solver } from './solver.js';
export type { WatchOptions } from './watch.js';

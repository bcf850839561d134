import { FormatError } from '../errors/index.js';
import { checkArgument, path as pathKind, required } from '../util/check-options.js';
import type { BlobProto, NetParameter, SolverParameter, SolverState } from './caffe.js';
import { decodeFile } from './decode.js';
import { encodeFile } from './encode.js';
import { expectKind } from './file-kind.js';
import { checkMessage } from './message.js';
import { parseTextFile } from './parse-text.js';
import { setPosition } from './position.js';
import { printTextFile } from './print-text.js';
import { completeSnapshotPrefix, upgradeNet, upgradeSolver, type UpgradeOptions } from './upgrade.js';

/** Throws where a path is no path. */
export function checkPath(what: string, value: unknown): void {
  checkArgument(what, 'path', value, required(pathKind));
}

type ReadOptions = Omit<UpgradeOptions, 'file'>;

/** Reads a net's definition (prototxt) of any age. */
export function readNetText(path: string, options: ReadOptions = {}): NetParameter {
  checkPath('readNetText', path);
  expectKind(path, 'net');
  const net = upgradeNet(parseTextFile('NetParameter', path), { ...options, file: path });
  setPosition(net, { file: path });
  return net;
}

/** Reads a net with its weights (caffemodel) of any age. `readWeights` reads HDF5 files as well. */
export function readNetBinary(path: string, options: ReadOptions = {}): NetParameter {
  checkPath('readNetBinary', path);
  expectKind(path, 'weights');
  const net = upgradeNet(decodeFile('NetParameter', path), { ...options, file: path });
  setPosition(net, { file: path });
  return net;
}

/** Reads a solver (prototxt) of any age and completes its snapshot prefix; nets in it are upgraded too. */
export function readSolver(path: string, options: ReadOptions = {}): SolverParameter {
  checkPath('readSolver', path);
  expectKind(path, 'solver');
  const all = { ...options, file: path };
  const solver = upgradeSolver(parseTextFile('SolverParameter', path), all);
  for (const net of [solver.net_param, solver.train_net_param, ...solver.test_net_param]) {
    if (net) upgradeNet(net, all);
  }
  completeSnapshotPrefix(solver, path);
  setPosition(solver, { file: path });
  return solver;
}

/** Reads a solver's state (solverstate). `readSolverSnapshot` reads HDF5 files as well. */
export function readSolverState(path: string): SolverState {
  checkPath('readSolverState', path);
  expectKind(path, 'solverState');
  return decodeFile('SolverState', path);
}

/** Reads a single blob, e.g. a mean image (binaryproto). `place` says in errors who asked for it. */
export function readBlobProto(path: string, place: { layer?: string; field?: string } = {}): BlobProto {
  checkPath('readBlobProto', path);
  try {
    expectKind(path, 'blob');
    return decodeFile('BlobProto', path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { file = path, offset } = error;
    throw new FormatError(error.reason, { file, ...place, offset, cause: error });
  }
}

/** Writes a net's definition as text. */
export function writeNetText(path: string, net: NetParameter): void {
  checkPath('writeNetText', path);
  checkMessage('writeNetText', 'net', net, 'NetParameter');
  printTextFile(path, net);
}

/** Writes a solver as text. */
export function writeSolver(path: string, solver: SolverParameter): void {
  checkPath('writeSolver', path);
  checkMessage('writeSolver', 'solver', solver, 'SolverParameter');
  printTextFile(path, solver);
}

/** Writes a net with its weights (caffemodel). */
export function writeNetBinary(path: string, net: NetParameter): void {
  checkPath('writeNetBinary', path);
  checkMessage('writeNetBinary', 'net', net, 'NetParameter');
  encodeFile(path, net);
}

/** Writes a solver's state (solverstate). */
export function writeSolverState(path: string, state: SolverState): void {
  checkPath('writeSolverState', path);
  checkMessage('writeSolverState', 'state', state, 'SolverState');
  encodeFile(path, state);
}

/** Writes a single blob (binaryproto). */
export function writeBlobProto(path: string, blob: BlobProto): void {
  checkPath('writeBlobProto', path);
  checkMessage('writeBlobProto', 'blob', blob, 'BlobProto');
  encodeFile(path, blob);
}

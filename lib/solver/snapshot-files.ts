import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { realTarget } from '../util/index.js';

/** The files of one snapshot. */
export interface SnapshotFiles {
  model: string;
  state: string;
  /** What the original's files have no place for. */
  side: string;
}

/** Their names, as the original gives them. */
export function snapshotFiles(prefix: string, iteration: number, hdf5: boolean): SnapshotFiles {
  const stem = `${prefix}_iter_${iteration}`;
  const suffix = hdf5 ? '.h5' : '';
  return {
    model: `${stem}.caffemodel${suffix}`,
    state: `${stem}.solverstate${suffix}`,
    side: `${stem}.ristretto.json`,
  };
}

/** The side file that belongs to a solver's state, by its name. */
export function sideFileOf(state: string): string {
  return `${state.replace(/\.solverstate(\.h5)?$/, '')}.ristretto.json`;
}

/** The part of a name behind the prefix, of the files of snapshots and of the weights of the best test. */
const ITERATION = /^_iter_(\d+)\.(caffemodel|caffemodel\.h5|solverstate|solverstate\.h5|ristretto\.json)$/;
const BEST = /^_best\.(caffemodel|caffemodel\.h5)$/;

/** Iterations whose snapshots a run may write, and whether it keeps the weights of its best test. */
export interface SnapshotRange {
  prefix: string;
  /** From the first one, inclusive, to the last. */
  first: number;
  last: number;
  /** Which of these; all where unset. */
  due?(iteration: number): boolean;
  best: boolean;
  hdf5: boolean;
}

/** Whether a run with these snapshots may write a file. */
export function isSnapshotOf(path: string, range: SnapshotRange): boolean {
  const { prefix, first, last, due = () => true, best, hdf5 } = range;
  if (
    realTarget(dirname(path)) !== realTarget(dirname(prefix)) ||
    !basename(path).startsWith(basename(prefix))
  )
    return false;
  const rest = basename(path).slice(basename(prefix).length);
  const ofFormat = (extension: string) => extension.endsWith('.json') || extension.endsWith('.h5') === hdf5;
  const snapshot = ITERATION.exec(rest);
  if (snapshot) {
    const iteration = Number(snapshot[1]);
    return iteration >= first && iteration <= last && due(iteration) && ofFormat(snapshot[2]);
  }
  const kept = BEST.exec(rest);
  return best && kept !== null && ofFormat(kept[1]);
}

/** The files that are there already and that a run may write over. */
export function snapshotsThere(range: SnapshotRange): string[] {
  const folder = dirname(range.prefix);
  try {
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => isSnapshotOf(path, range));
  } catch {
    return []; // No folder, no files; that it is missing is told elsewhere.
  }
}

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

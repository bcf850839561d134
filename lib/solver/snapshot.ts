import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Blob } from '../blob/index.js';
import { NetError, RistrettoError } from '../errors/index.js';
import { blobToProto, type Net } from '../graph/index.js';
import {
  blobData,
  blobShape,
  blobShapeFits,
  create,
  readSolverSnapshot,
  readWeights,
  writeNetBinary,
  writeNetHdf5,
  writeSolverState,
  writeSolverStateHdf5,
  type NetParameter,
  type SolverState,
} from '../proto/index.js';
import { parametersIdentity, stateIdentity, type Identity } from './identity.js';
import { sideFileOf, type SnapshotFiles } from './snapshot-files.js';
import { readSideFile, writeSideFile, type SideFile } from './side-file.js';

/** What a snapshot holds. */
export interface SnapshotContent {
  net: Pick<Net, 'toProto'>;
  histories: readonly Blob[];
  iteration: number;
  currentStep: number;
  /** Write the gradients too. */
  diff: boolean;
  hdf5: boolean;
  /** All of the side file but the identity. */
  side: Omit<SideFile, 'identity'>;
}

/**
 * Writes a snapshot: the side file first, the solver's state last, each whole or not at all. A solver's state that
 * is there is therefore complete, and a side file that does not belong to it is known by its identity.
 */
export async function writeSnapshot(files: SnapshotFiles, content: SnapshotContent): Promise<void> {
  const { diff, hdf5 } = content;
  const net = content.net.toProto({ withDiff: diff });
  const state = create('SolverState', {
    iter: content.iteration,
    learned_net: files.model,
    current_step: content.currentStep,
    history: content.histories.map((blob) => blobToProto(blob)),
  });
  const identity: Identity = { state: stateIdentity(state), parameters: parametersIdentity(net) };
  writeSideFile(files.side, { ...content.side, identity });
  await writeModel(files.model, net, { diff, hdf5 });
  if (hdf5) await writeSolverStateHdf5(files.state, state);
  else writeSolverState(files.state, state);
}

/** Writes a net with its parameters, as a caffemodel or HDF5. */
export async function writeModel(
  path: string,
  net: NetParameter,
  { diff = false, hdf5 }: { diff?: boolean; hdf5: boolean },
): Promise<void> {
  if (hdf5) await writeNetHdf5(path, net, { diff });
  else writeNetBinary(path, net);
}

/** Adds to an error of writing a snapshot what there is to go on from. */
export function snapshotFailed(error: unknown, last: string | null): unknown {
  if (!(error instanceof RistrettoError)) return error;
  const rest = last ? `the last complete snapshot is ${last}` : 'there is no complete snapshot of this run';
  return new RistrettoError(`${error.reason}; ${rest}`, {
    file: error.file,
    layer: error.layer,
    field: error.field,
    cause: error,
  });
}

/** A snapshot as read. */
export interface LoadedSnapshot {
  state: SolverState;
  /** Null where the state names no model. */
  model: { file: string; net: NetParameter } | null;
  side: SideFile | null;
  /** Why the run cannot go on exactly; null where it can. */
  inexact: string | null;
}

/** Reads the solver's state, the model that it names and the side file. */
export async function readSnapshot(file: string, baseFolder = ''): Promise<LoadedSnapshot> {
  const state = await readSolverSnapshot(file);
  const modelFile = state.learned_net ? findModel(state.learned_net, file, baseFolder) : null;
  const model = modelFile ? { file: modelFile, net: await readWeights(modelFile) } : null;
  const sidePath = sideFileOf(file);
  let side: SideFile | null = null;
  let inexact: string | null = null;
  try {
    side = readSideFile(sidePath);
    if (!side) inexact = `${sidePath} is not there`;
  } catch (error) {
    if (!(error instanceof RistrettoError)) throw error;
    inexact = error.message;
  }
  if (side && side.identity.state !== stateIdentity(state))
    inexact = `${sidePath} does not belong to ${file}`;
  else if (side && model && side.identity.parameters !== parametersIdentity(model.net))
    inexact = `${sidePath} does not belong to ${model.file}`;
  return { state, model, side: inexact ? null : side, inexact };
}

/** The model that a state names: as it says, or beside the state, where both were moved. */
function findModel(named: string, stateFile: string, baseFolder: string): string {
  const candidates = [named, join(baseFolder, named), join(dirname(stateFile), basename(named))];
  const found = candidates.find((path) => existsSync(path));
  if (found) return found;
  throw new RistrettoError(`names the model ${named}, which is not there`, {
    file: stateFile,
    field: 'learned_net',
  });
}

/** Sets the histories of a rule; their number and shapes must be the rule's and the net's. */
export function restoreHistories(histories: readonly Blob[], { history }: SolverState, file: string): void {
  if (history.length !== histories.length)
    throw new NetError(
      `has ${history.length} blobs; this solver keeps ${histories.length}: it was written by another type of solver or for another net`,
      { file, field: 'history' },
    );
  for (const [index, blob] of histories.entries()) {
    const place = { file, field: `history[${index}]` };
    if (!blobShapeFits(history[index], blob.shape))
      throw new NetError(
        `has shape (${blobShape(history[index]).join(', ')}), '${blob.name}' has ${blob.shapeText}`,
        place,
      );
    blob.set(blobData(history[index], place));
  }
}

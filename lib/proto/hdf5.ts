import { FormatError } from '../errors/index.js';
import { checkOptions, flag } from '../util/check-options.js';
import {
  assertReadable,
  entryKind,
  isHdf5File,
  readInteger,
  readNumbers,
  replaceFile,
  withHdf5File,
  type Dataset,
  type Group,
  type Hdf5File,
} from '../util/index.js';
import { blobData, blobDiff, blobShape } from './blob-proto.js';
import type { BlobProto, LayerParameter, NetParameter, SolverState } from './caffe.js';
import { checkPath, readNetBinary, readSolverState } from './files.js';
import { setPosition } from './position.js';
import { checkMessage, create } from './message.js';
import type { UpgradeOptions } from './upgrade.js';

/** Layer names hold slashes, which make groups in groups; links could make them go round in circles. */
const maxDepth = 32;

const blobName = /^(?:0|[1-9][0-9]{0,5})$/;

function readBlob(file: Hdf5File, path: string): BlobProto {
  const { shape, data } = readNumbers(file, path);
  // The array is fresh: taken as it is, not copied.
  const blob = create('BlobProto', { shape: { dim: shape } });
  blob.data = data;
  return blob;
}

/** What a dataset holds, where that is a text. */
function readText(file: Hdf5File, path: string): unknown {
  const entry = file.get(path);
  if (entryKind(entry) !== 'dataset') return undefined;
  assertReadable(file, path, entry as Dataset);
  return (entry as Dataset).value;
}

/** The datasets 0, 1, … of a group as blobs; an index that is missing gives an empty blob. */
function readBlobs(file: Hdf5File, path: string, names: readonly string[]): BlobProto[] {
  const indices = names.map(Number);
  const count = Math.max(-1, ...indices) + 1;
  if (count > 2 * names.length + 64)
    throw new FormatError('most blobs are missing', { file: file.filename, field: path });
  return Array.from({ length: count }, (_, i) =>
    indices.includes(i) ? readBlob(file, `${path}/${i}`) : create('BlobProto'),
  );
}

function collectLayers(
  file: Hdf5File,
  path: string,
  name: string,
  depth: number,
  layers: LayerParameter[],
): void {
  if (depth > maxDepth)
    throw new FormatError(`more than ${maxDepth} groups in one another`, {
      file: file.filename,
      field: path,
    });
  const group = file.get(path) as Group;
  const keys = group.keys();
  const kinds = new Map(keys.map((key) => [key, entryKind(group.get(key))]));
  const datasets = keys.filter((key) => kinds.get(key) === 'dataset');
  const groups = keys.filter((key) => kinds.get(key) === 'group');
  const stray = datasets.find((key) => depth === 0 || !blobName.test(key));
  if (stray !== undefined) {
    throw new FormatError('blobs are named 0, 1, … and lie in the group of their layer', {
      file: file.filename,
      field: `${path}/${stray}`,
    });
  }
  if (depth > 0 && (datasets.length > 0 || groups.length === 0)) {
    layers.push(create('LayerParameter', { name, blobs: readBlobs(file, path, datasets) }));
  }
  for (const key of groups)
    collectLayers(file, `${path}/${key}`, name ? `${name}/${key}` : key, depth + 1, layers);
}

/**
 * Reads the weights in an HDF5 file of Caffe: group data, in it one group a layer, in it the datasets 0, 1, …
 * The result holds only names and blobs, as such files do. A blob left out in the file, because it is shared
 * with another layer, is an empty BlobProto.
 */
export async function readNetHdf5(path: string): Promise<NetParameter> {
  checkPath('readNetHdf5', path);
  return withHdf5File(path, 'r', (file) => {
    if (!file.keys().includes('data') || entryKind(file.get('data')) !== 'group') {
      throw new FormatError("no group 'data': not a caffemodel", { file: path });
    }
    const layers: LayerParameter[] = [];
    collectLayers(file, 'data', '', 0, layers);
    return create('NetParameter', { layer: layers });
  });
}

/** Makes the groups along a path of layer name parts. */
function groupAt(parent: Group, path: string): Group {
  let group = parent;
  for (const part of path.split('/').filter((name) => name !== '')) {
    group = group.keys().includes(part) ? (group.get(part) as Group) : group.create_group(part);
  }
  return group;
}

function writeBlob(group: Group, name: string, shape: number[], data: Float32Array): void {
  group.create_dataset({ name, data, shape, dtype: '<f4' });
}

/** Writes a net's weights as an HDF5 file of Caffe; gradients into the group diff where `diff` is set. */
export async function writeNetHdf5(
  path: string,
  net: NetParameter,
  options: { diff?: boolean } = {},
): Promise<void> {
  checkPath('writeNetHdf5', path);
  checkMessage('writeNetHdf5', 'net', net, 'NetParameter');
  checkOptions('writeNetHdf5', options, { diff: flag });
  await replaceFile(path, (temporary) =>
    withHdf5File(temporary, 'w', (file) => {
      const data = file.create_group('data');
      const diff = options.diff ? file.create_group('diff') : null;
      for (const layer of net.layer) {
        const group = groupAt(data, layer.name);
        const diffGroup = diff && groupAt(diff, layer.name);
        for (const [index, blob] of layer.blobs.entries()) {
          const place = { file: path, layer: layer.name, field: `blobs[${index}]` };
          writeBlob(group, String(index), blobShape(blob), blobData(blob, place));
          const gradients = diffGroup && blobDiff(blob, place);
          if (gradients) writeBlob(diffGroup, String(index), blobShape(blob), gradients);
        }
      }
    }),
  );
}

/** Reads the weights of a net from a caffemodel of any age or an HDF5 file; the content decides which. */
export async function readWeights(
  path: string,
  options: Omit<UpgradeOptions, 'file'> = {},
): Promise<NetParameter> {
  checkPath('readWeights', path);
  const net = isHdf5File(path) ? await readNetHdf5(path) : readNetBinary(path, options);
  setPosition(net, { file: path });
  return net;
}

/** Reads a solver's snapshot from a solverstate or an HDF5 file; the content decides which. */
export async function readSolverSnapshot(path: string): Promise<SolverState> {
  checkPath('readSolverSnapshot', path);
  if (!isHdf5File(path)) return readSolverState(path);
  return withHdf5File(path, 'r', (file) => {
    const keys = file.keys();
    for (const name of ['iter', 'current_step', 'history']) {
      if (!keys.includes(name)) throw new FormatError(`no '${name}': not a solver's state`, { file: path });
    }
    const learned = keys.includes('learned_net') ? readText(file, 'learned_net') : undefined;
    const names = (file.get('history') as Group).keys();
    if (names.some((name) => !blobName.test(name))) {
      throw new FormatError('blobs are named 0, 1, …', { file: path, field: 'history' });
    }
    return create('SolverState', {
      iter: readInteger(file, 'iter'),
      current_step: readInteger(file, 'current_step'),
      // Fixed-length texts come with their padding.
      learned_net: typeof learned === 'string' ? learned.replace(/\0.*$/s, '') : undefined,
      history: readBlobs(file, 'history', names),
    });
  });
}

/** Writes a solver's state as an HDF5 file of Caffe. */
export async function writeSolverStateHdf5(path: string, state: SolverState): Promise<void> {
  checkPath('writeSolverStateHdf5', path);
  checkMessage('writeSolverStateHdf5', 'state', state, 'SolverState');
  await replaceFile(path, (temporary) =>
    withHdf5File(temporary, 'w', (file) => {
      const integer = (name: string, value: number) =>
        file.create_dataset({ name, data: Int32Array.of(value), shape: [1], dtype: '<i4' });
      integer('iter', state.iter);
      // A byte more than the text: Caffe reads up to a zero.
      const dtype = `S${Buffer.byteLength(state.learned_net) + 1}`;
      file.create_dataset({ name: 'learned_net', data: state.learned_net, shape: [], dtype });
      integer('current_step', state.current_step);
      const history = file.create_group('history');
      for (const [index, blob] of state.history.entries()) {
        const place = { file: path, field: `history[${index}]` };
        writeBlob(history, String(index), blobShape(blob), blobData(blob, place));
      }
    }),
  );
}

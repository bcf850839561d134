import { checkMessage } from './message.js';
import type { LayerParameter, NetParameter, SolverParameter } from './caffe.js';

/** A file or folder that a net's definition names. */
export interface NamedFile {
  path: string;
  layer: string;
  /** The field that names it. */
  field: string;
  /** What is read there: records, a list of image files or HDF5 files, a single blob. */
  content: 'records' | 'images' | 'hdf5' | 'blob';
  /** Of a list of images: what is put before each path as it stands. */
  rootFolder: string;
}

/** The fields of a layer that name what it reads, a row each. */
const fields: readonly [
  field: string,
  content: NamedFile['content'],
  path: (layer: LayerParameter) => string | undefined,
][] = [
  ['data_param.source', 'records', (layer) => layer.data_param?.source],
  [
    'image_data_param.source',
    'images',
    ({ type, image_data_param: image }) =>
      image?.source && (type === 'ImageFolder' ? image.root_folder + image.source : image.source),
  ],
  ['hdf5_data_param.source', 'hdf5', (layer) => layer.hdf5_data_param?.source],
  ['window_data_param.source', 'images', (layer) => layer.window_data_param?.source],
  ['transform_param.mean_file', 'blob', (layer) => layer.transform_param?.mean_file],
  ['infogain_loss_param.source', 'blob', (layer) => layer.infogain_loss_param?.source],
];

/** The files that the layers of a net (upgraded) read beside its weights. */
export function filesNamedBy(net: NetParameter): NamedFile[] {
  checkMessage('filesNamedBy', 'net', net, 'NetParameter');
  return net.layer.flatMap((layer) =>
    fields.flatMap(([field, content, path]) => {
      const named = path(layer);
      const rootFolder = layer.image_data_param?.root_folder ?? '';
      return named ? [{ path: named, layer: layer.name, field, content, rootFolder }] : [];
    }),
  );
}

/** The nets and weights that a solver names. */
export function filesNamedBySolver(
  solver: SolverParameter,
): { path: string; field: string; kind: 'net' | 'weights' }[] {
  checkMessage('filesNamedBySolver', 'solver', solver, 'SolverParameter');
  const nets = [
    ['net', solver.net],
    ['train_net', solver.train_net],
    ...solver.test_net.map((path) => ['test_net', path]),
  ];
  const weights = solver.weights.flatMap((list) => list.split(',')).map((path) => ['weights', path]);
  return [
    ...nets.map(([field, path]) => ({ field, path, kind: 'net' as const })),
    ...weights.map(([field, path]) => ({ field, path, kind: 'weights' as const })),
  ].filter(({ path }) => path !== '');
}

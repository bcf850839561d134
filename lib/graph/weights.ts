import type { Blob } from '../blob/index.js';
import { NetError } from '../errors/index.js';
import {
  blobData,
  blobShape,
  blobShapeFits,
  clone,
  create,
  hasLegacyShape,
  positionOf,
  type BlobProto,
  type NetParameter,
} from '../proto/index.js';
import type { NetLayer } from './build.js';
import type { Layer } from './layer.js';
import { isGiven, type NetParam } from './params.js';
import { listNames } from './wiring.js';

/** What became of trained weights: layer names of the net and of the weights. */
export interface CopyReport {
  /** Layers whose parameters were set. */
  copied: string[];
  /** Layers of the weights that the net does not have. */
  ignored: string[];
  /** Layers of the net whose parameters the weights leave to the fillers. */
  unfilled: string[];
}

/** In an HDF5 file a blob that is shared with another layer is left out. */
function isLeftOut(stored: BlobProto): boolean {
  return !stored.shape && !hasLegacyShape(stored) && !stored.data.length && !stored.double_data.length;
}

/** Sets a layer's parameters from stored blobs; counts and shapes must be the layer's. */
export function setLearnable(
  layer: Layer,
  stored: readonly BlobProto[],
  { file, shared = new Set() }: { file?: string; shared?: ReadonlySet<Blob> } = {},
): void {
  const place = (index?: number) => ({
    file,
    layer: layer.name,
    field: index === undefined ? 'blobs' : `blobs[${index}]`,
  });
  if (stored.length !== layer.learnable.length)
    throw new NetError(
      `the weights have ${stored.length} blobs for this layer, the net has ${layer.learnable.length}`,
      place(),
    );
  // All of them are checked first, so that a misfit leaves the layer as it was.
  const values = layer.blobs.map((blob, index) => {
    if (shared.has(blob) && isLeftOut(stored[index])) return null;
    if (!blobShapeFits(stored[index], blob.shape))
      throw new NetError(
        `the weights have shape (${blobShape(stored[index]).join(', ')}), the net has ${blob.shapeText}; ` +
          'to learn this layer from scratch, give it another name',
        place(index),
      );
    return blobData(stored[index], place(index));
  });
  for (const [index, blob] of layer.blobs.entries()) if (values[index]) blob.set(values[index]);
}

/**
 * Copies trained weights into the layers of the same name. A misfit of shapes is always an error; parameters
 * that are left without values are one unless `allowMissing`.
 */
export function copyTrained(
  layers: readonly NetLayer[],
  params: readonly NetParam[],
  weights: NetParameter,
  { allowMissing = false, file = positionOf(weights)?.file }: { allowMissing?: boolean; file?: string } = {},
): CopyReport {
  const byName = new Map<string, Layer>();
  for (const { name, layer } of layers) if (!byName.has(name)) byName.set(name, layer);
  const shared = new Set(params.filter((param) => param.owner).map((param) => param.blob));
  const copied: string[] = [];
  const ignored: string[] = [];
  for (const source of weights.layer) {
    const target = byName.get(source.name);
    if (!target) {
      if (source.blobs.length) ignored.push(source.name);
      continue;
    }
    // A prototxt's layer may stand in the weights without blobs: nothing to copy, and nothing amiss yet.
    if (source.blobs.length === 0) continue;
    setLearnable(target, source.blobs, { file, shared });
    copied.push(source.name);
  }
  const unfilled = [...new Set(params.filter((param) => !isGiven(param)).map(({ layer }) => layer.name))];
  if (unfilled.length && !allowMissing)
    throw new NetError(
      `the weights leave ${unfilled.length} layers of the net without values: ${listNames(unfilled)}. ` +
        `Layers of the weights that the net does not have: ${listNames(ignored)}`,
      { file },
    );
  return { copied, ignored, unfilled };
}

/** The shape, data and, where asked, diff of a blob as a message. */
export function blobToProto(blob: Blob, withDiff = false): BlobProto {
  return create('BlobProto', {
    shape: { dim: [...blob.shape] },
    data: blob.data,
    diff: withDiff ? blob.diff : undefined,
  });
}

/** The net as a message, with the values of its parameters: the content of a caffemodel. */
export function netToProto(name: string, layers: readonly NetLayer[], withDiff = false): NetParameter {
  return create('NetParameter', {
    name,
    layer: layers.map(({ layer }) => {
      const param = clone(layer.param, { shareArrays: true });
      param.blobs = layer.blobs.map((blob) => blobToProto(blob, withDiff));
      return param;
    }),
  });
}

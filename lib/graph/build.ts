import { Blob } from '../blob/index.js';
import { DataError, isError, NetError, RistrettoError } from '../errors/index.js';
import {
  clone,
  has,
  positionOf,
  type LayerParameter,
  type NetParameter,
  type Phase,
} from '../proto/index.js';
import { checkLayerCounts, checkLearnable, checkTypes, createLayer } from './create-layer.js';
import type { Layer, LayerContext, LayerRegistry } from './layer.js';

/** A layer in its place in the net. */
export interface NetLayer {
  readonly index: number;
  readonly name: string;
  readonly type: string;
  readonly layer: Layer;
  readonly bottom: readonly Blob[];
  /** For a layer in place, top[i] is bottom[i]. */
  readonly top: readonly Blob[];
  /** Weight of each top in the net's loss. */
  readonly lossWeights: readonly number[];
}

/** A net's layers and blobs, connected, with every shape known and no memory taken. */
export interface Connections {
  layers: NetLayer[];
  /** By name; where a layer in place had to be given a blob of its own, the later one. */
  blobs: Map<string, Blob>;
  /** Blobs of this net, the nameless tops that a loss layer makes included; not those of `sources`. */
  own: Set<Blob>;
  /** Tops of layers without bottoms, and the given sources. */
  sourceTops: Map<string, Blob>;
  /** Never read by a layer: the net's outputs, sorted by name as Caffe has them. */
  outputs: string[];
}

/** Says which layer an error arose in, where it does not say so itself. */
export function locateError(error: unknown, layer: string): unknown {
  if (error instanceof RistrettoError) {
    const plain = error.constructor === RistrettoError || error.constructor === NetError;
    if (!plain || error.layer !== undefined) return error;
    return new NetError(error.reason, { layer, file: error.file, field: error.field, cause: error });
  }
  if (!isError(error))
    return new NetError(`threw ${thrown(error)}, which is no Error`, { layer, cause: error });
  return new NetError(error.message, {
    layer: (error as { layer?: string }).layer ?? layer,
    cause: error,
  });
}

/** What is thrown or rejected with in place of an error. */
function thrown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/**
 * Closes all layers, whatever some of them say. Gives the first error, as one of its layer; null where there is none.
 */
export async function closeLayers(layers: readonly { layer: Layer }[]): Promise<unknown> {
  const closing = layers.map(async ({ layer }) => {
    try {
      await layer.close();
      return null;
    } catch (error) {
      return locateError(error, layer.name);
    }
  });
  return (await Promise.all(closing)).find((error) => error !== null) ?? null;
}

/** Says where in the net's file an error's layer is, or in which file the net, where the error names no file. */
export function locateInFile(error: unknown, param: NetParameter): unknown {
  if (!(error instanceof RistrettoError) || error.file !== undefined) return error;
  const Same = [NetError, DataError, RistrettoError].find((type) => type === error.constructor);
  const layer = param.layer.find(({ name }) => name === error.layer);
  // Without a layer only a NetError is sure to be about the net.
  const position = positionOf(layer ?? param);
  if (!Same || position?.file === undefined || (error.layer === undefined && Same !== NetError)) return error;
  const { reason, field } = error;
  return new Same(reason, { ...position, layer: error.layer, field, cause: error.cause ?? error });
}

/** For each layer and top: the index of the layer that reads this version of the blob, or -1. */
function findReaders(layers: readonly LayerParameter[]): number[][] {
  const readers = layers.map((layer) => layer.top.map(() => -1));
  const latest = new Map<string, [number, number]>();
  for (const [index, layer] of layers.entries()) {
    for (const blob of layer.bottom) {
      const [producer, top] = latest.get(blob)!;
      readers[producer][top] = index;
    }
    for (const [top, blob] of layer.top.entries()) latest.set(blob, [index, top]);
  }
  return readers;
}

/** Blobs by the memory they use, with the layer that will read each one next. */
class Aliases {
  #groups = new Map<Blob, Map<Blob, number>>();

  add(blob: Blob, reader: number): void {
    const group = this.#groups.get(blob.owner);
    if (group) group.set(blob, reader);
    else this.#groups.set(blob.owner, new Map([[blob, reader]]));
  }

  /** Whether a layer after `index` reads the memory of `blob` under another name. */
  readLater(blob: Blob, index: number): boolean {
    for (const [alias, reader] of this.#groups.get(blob.owner) ?? [])
      if (alias !== blob && reader > index) return true;
    return false;
  }
}

/** Memory that the backward pass will read: no layer may overwrite it in place. */
class BackwardReaders {
  #held = new Set<Blob>();

  constructor(readonly active: boolean) {}

  /** Notes what a layer reads in its backward pass. */
  add({ backwardReads }: Layer, bottom: readonly Blob[], top: readonly Blob[]): void {
    if (!this.active) return;
    if (backwardReads.bottom) for (const blob of bottom) this.#held.add(blob.owner);
    if (backwardReads.top) for (const blob of top) this.#held.add(blob.owner);
  }

  /** Whether a layer may overwrite the blob, as far as anybody's backward pass is concerned. */
  allow({ backwardReads }: Layer, blob: Blob): boolean {
    return !this.active || (!backwardReads.bottom && !this.#held.has(blob.owner));
  }
}

export interface BuildOptions {
  registry: LayerRegistry;
  phase: Phase;
  context: Omit<LayerContext, 'phase'>;
  sources: ReadonlyMap<string, Blob>;
  signal?: AbortSignal;
}

/** Whether a layer need not be made, because its tops are given. */
function isReplaced({ bottom, top }: LayerParameter, sources: ReadonlyMap<string, Blob>): boolean {
  return bottom.length === 0 && top.length > 0 && top.every((name) => sources.has(name));
}

/** Checks that the registry has all types that a net needs, before anything else is looked at. */
export function checkNetTypes(
  layers: readonly LayerParameter[],
  { registry, sources }: Pick<BuildOptions, 'registry' | 'sources'>,
): void {
  checkTypes(
    layers.filter((layer) => !isReplaced(layer, sources)),
    registry,
  );
}

/** Makes the layers of a filtered and split net in order, connects them and sets every shape. */
export async function buildNet(
  param: NetParameter,
  { registry, phase, context, sources, signal }: BuildOptions,
): Promise<Connections> {
  const layers: NetLayer[] = [];
  const blobs = new Map<string, Blob>();
  const own = new Set<Blob>();
  const sourceTops = new Map<string, Blob>();
  const available = new Set<string>();
  const readers = findReaders(param.layer);
  const aliases = new Aliases();
  const backwardReaders = new BackwardReaders(context.backward ?? false);
  // Batches that other nets may read too; an Input's top is its user's, who expects Caffe's in-place work.
  const protectedTops = new Set<Blob>();

  const connect = async (given: LayerParameter, index: number): Promise<void> => {
    if (isReplaced(given, sources)) {
      for (const top of given.top) {
        blobs.set(top, sources.get(top)!);
        sourceTops.set(top, sources.get(top)!);
        available.add(top);
      }
      return;
    }
    let layerParam = given;
    if (!has(given, 'phase')) {
      layerParam = clone(given, { shareArrays: true });
      layerParam.phase = phase;
    }
    const layer = createLayer(registry, layerParam, { ...context, phase: layerParam.phase });
    const entry: NetLayer = {
      index: layers.length,
      name: layer.name,
      type: layer.type,
      layer,
      bottom: [],
      top: [],
      lossWeights: [],
    };
    layers.push(entry);
    const bottom = given.bottom.map((name) => blobs.get(name)!);
    for (const name of given.bottom) available.delete(name);
    const top = given.top.map((name, i) => {
      available.add(name);
      const overwritten = bottom[i];
      // In place, unless the values are someone else's too: another net's, a parameter's, another branch's, a
      // backward pass's.
      if (
        given.bottom[i] === name &&
        own.has(overwritten.owner) &&
        !protectedTops.has(overwritten.owner) &&
        !aliases.readLater(overwritten, index) &&
        backwardReaders.allow(layer, overwritten)
      )
        return overwritten;
      const blob = new Blob(name);
      blobs.set(name, blob);
      own.add(blob);
      return blob;
    });
    if (layer.autoTopBlobs)
      while (top.length < (layer.tops?.exact ?? layer.tops?.min ?? 0)) {
        const blob = new Blob('(automatic)');
        own.add(blob);
        top.push(blob);
      }
    checkLayerCounts(layer, bottom.length, top.length);
    await layer.setup(bottom, top);
    checkLearnable(layer);
    layer.reshape(bottom, top);
    for (const [i, blob] of top.entries()) aliases.add(blob, readers[index][i] ?? -1);
    backwardReaders.add(layer, bottom, top);
    if (bottom.length === 0)
      for (const blob of top) {
        sourceTops.set(blob.name, blob);
        if (layer.type !== 'Input') protectedTops.add(blob.owner);
      }
    Object.assign(entry, {
      bottom,
      top,
      lossWeights: top.map((_, i) => layerParam.loss_weight[i] ?? layer.defaultLossWeight(i)),
    });
  };

  try {
    for (const [index, layer] of param.layer.entries()) {
      signal?.throwIfAborted();
      try {
        await connect(layer, index);
      } catch (error) {
        throw locateError(error, layer.name);
      }
    }
  } catch (error) {
    await closeLayers(layers);
    signal?.throwIfAborted();
    throw error;
  }
  return {
    layers,
    blobs,
    own,
    sourceTops,
    outputs: [...available].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  };
}

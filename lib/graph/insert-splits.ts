import { clone, create, type LayerParameter, type NetParameter } from '../proto/index.js';
import { messageKind } from '../proto/message.js';
import { checkArgument, required } from '../util/check-options.js';
import { withLayers } from './filter-net.js';

/** One version of a blob: as a layer wrote it, until a layer in place writes the next. */
interface Version {
  layerName: string;
  blobName: string;
  topIndex: number;
  /** Bottoms that read it, and the loss where it has a weight in that. */
  uses: number;
  lossWeight: number;
  nextSplit: number;
}

function splitName({ blobName, layerName, topIndex }: Version): string {
  return `${blobName}_${layerName}_${topIndex}_split`;
}

function splitLayer(version: Version): LayerParameter {
  const name = splitName(version);
  return create('LayerParameter', {
    name,
    type: 'Split',
    bottom: [version.blobName],
    top: Array.from({ length: version.uses }, (_, i) => `${name}_${i}`),
    loss_weight: version.lossWeight
      ? Array.from({ length: version.uses }, (_, i) => (i ? 0 : version.lossWeight))
      : [],
  });
}

/**
 * Gives every reader of a blob a copy of its own name: where a blob is used more than once, a Split layer
 * follows its producer, under the names that Caffe gives. The wiring is taken as sound.
 */
export function insertSplits(param: NetParameter): NetParameter {
  checkArgument('insertSplits', 'param', param, required(messageKind('NetParameter')));
  const latest = new Map<string, Version>();
  const layers = param.layer.map((layer) => {
    const bottoms = layer.bottom.map((blobName) => latest.get(blobName)!);
    for (const version of bottoms) version.uses++;
    const tops = layer.top.map((blobName, topIndex) => {
      const lossWeight = layer.loss_weight[topIndex] ?? 0;
      const version: Version = {
        layerName: layer.name,
        blobName,
        topIndex,
        uses: lossWeight ? 1 : 0,
        lossWeight,
        nextSplit: lossWeight ? 1 : 0,
      };
      latest.set(blobName, version);
      return version;
    });
    return { layer, bottoms, tops };
  });
  return withLayers(
    param,
    layers.flatMap(({ layer, bottoms, tops }) => {
      const split = tops.filter((version) => version.uses > 1);
      if (split.length === 0 && !bottoms.some((version) => version.uses > 1)) return [layer];
      const copy = clone(layer, { shareArrays: true });
      copy.bottom = bottoms.map((version) =>
        version.uses > 1 ? `${splitName(version)}_${version.nextSplit++}` : version.blobName,
      );
      // The loss now hangs on the split's first top.
      if (copy.loss_weight.length)
        copy.loss_weight = copy.loss_weight.map((weight, i) => (tops[i]?.uses > 1 ? 0 : weight));
      return [copy, ...split.map(splitLayer)];
    }),
  );
}

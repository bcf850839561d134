import type { LayerParameter, NetParameter } from '../../proto/index.js';
import {
  isQuantised,
  quantisableType,
  quantiseNet,
  type QuantisableType,
  type Quantisation,
} from '../edit-net.js';
import type { LayerIntegerLengths } from '../integer-lengths.js';
import type { ModeInput } from './mode.js';

/** What a mode does with one layer whose integer lengths are known. */
export type QuantisationOfLayer = (
  lengths: LayerIntegerLengths,
  type: QuantisableType,
  layer: LayerParameter,
) => Quantisation | null;

/** Rewrites the layers of a net by their integer lengths, which are looked up by the layer's name. */
export class FormatsByLayer {
  readonly #net: NetParameter;
  readonly #lengths: ReadonlyMap<string, LayerIntegerLengths>;

  constructor({ net, integerLengths, warn }: ModeInput) {
    this.#net = net;
    this.#lengths = new Map(integerLengths.map((lengths) => [lengths.layer, lengths]));
    for (const layer of net.layer) {
      if (quantisableType(layer) && !this.#lengths.has(layer.name))
        warn(`layer ${layer.name} (${layer.type}) was not seen in calibration and stays as it is`);
      if (isQuantised(layer))
        warn(`layer ${layer.name} (${layer.type}) is quantised already and stays as it is`);
    }
    const known = new Set(net.layer.map((layer) => layer.name));
    for (const { layer } of integerLengths)
      if (!known.has(layer))
        warn(`integer lengths are given for layer ${layer}, which the net does not have`);
  }

  /** Whether the net has a layer of this type to quantise. */
  has(type: QuantisableType): boolean {
    return this.#net.layer.some((layer) => layer.type === type && this.#lengths.has(layer.name));
  }

  quantise(quantisationOf: QuantisationOfLayer): NetParameter {
    return quantiseNet(this.#net, (layer, type) => {
      const lengths = this.#lengths.get(layer.name);
      return lengths ? quantisationOf(lengths, type, layer) : null;
    });
  }
}

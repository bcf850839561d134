import type { LayerFactory, LayerRegistry } from '../graph/layer.js';
import { Convolution } from './convolution.js';
import { InnerProduct } from './inner-product.js';

type LayerClass = new (...args: Parameters<LayerFactory>) => ReturnType<LayerFactory>;

function of(Class: LayerClass): LayerFactory {
  return (param, context) => new Class(param, context);
}

/** Every layer type that computes something from its bottoms, by its name in the prototxt; one row each. */
export const layers: LayerRegistry = {
  Convolution: of(Convolution),
  InnerProduct: of(InnerProduct),
};

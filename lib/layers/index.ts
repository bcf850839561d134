import type { LayerFactory, LayerRegistry } from '../graph/layer.js';
import { Accuracy } from './accuracy.js';
import { ArgMax } from './arg-max.js';
import { Convolution } from './convolution.js';
import { Deconvolution } from './deconvolution.js';
import { EuclideanLoss } from './euclidean-loss.js';
import { HingeLoss } from './hinge-loss.js';
import { InnerProduct } from './inner-product.js';
import { LRN } from './lrn.js';
import { LRNRistretto } from './lrn-ristretto.js';
import { MultinomialLogisticLoss } from './multinomial-logistic-loss.js';
import { Pooling } from './pooling.js';
import { quantized } from './quantized.js';
import { SigmoidCrossEntropyLoss } from './sigmoid-cross-entropy-loss.js';
import { Softmax } from './softmax.js';
import { SoftmaxWithLoss } from './softmax-with-loss.js';
import { unaryLayers } from './unary.js';

type LayerClass = new (...args: Parameters<LayerFactory>) => ReturnType<LayerFactory>;

function of(Class: LayerClass): LayerFactory {
  return (param, context) => new Class(param, context);
}

/** Every layer type that computes something from its bottoms, by its name in the prototxt; one row each. */
export const layers: LayerRegistry = {
  Accuracy: of(Accuracy),
  ArgMax: of(ArgMax),
  Convolution: of(Convolution),
  ConvolutionRistretto: quantized(Convolution),
  Deconvolution: of(Deconvolution),
  DeconvolutionRistretto: quantized(Deconvolution),
  EuclideanLoss: of(EuclideanLoss),
  FcRistretto: quantized(InnerProduct),
  HingeLoss: of(HingeLoss),
  InnerProduct: of(InnerProduct),
  LRN: of(LRN),
  LRNRistretto: of(LRNRistretto),
  MultinomialLogisticLoss: of(MultinomialLogisticLoss),
  Pooling: of(Pooling),
  SigmoidCrossEntropyLoss: of(SigmoidCrossEntropyLoss),
  Softmax: of(Softmax),
  SoftmaxWithLoss: of(SoftmaxWithLoss),
  ...unaryLayers,
};

import type { LayerFactory, LayerRegistry } from '../graph/layer.js';
import { Accuracy } from './accuracy.js';
import { ArgMax } from './arg-max.js';
import { BatchNorm } from './batch-norm.js';
import { BatchReindex } from './batch-reindex.js';
import { Bias } from './bias.js';
import { Concat } from './concat.js';
import { ContrastiveLoss } from './contrastive-loss.js';
import { Convolution } from './convolution.js';
import { Crop } from './crop.js';
import { Deconvolution } from './deconvolution.js';
import { Dropout } from './dropout.js';
import { Eltwise } from './eltwise.js';
import { Embed } from './embed.js';
import { EuclideanLoss } from './euclidean-loss.js';
import { Filter } from './filter.js';
import { Flatten } from './flatten.js';
import { HingeLoss } from './hinge-loss.js';
import { Im2col } from './im2col.js';
import { InfogainLoss } from './infogain-loss.js';
import { InnerProduct } from './inner-product.js';
import { Input } from './input.js';
import { LRN } from './lrn.js';
import { LRNRistretto } from './lrn-ristretto.js';
import { MultinomialLogisticLoss } from './multinomial-logistic-loss.js';
import { MVN } from './mvn.js';
import { Parameter } from './parameter.js';
import { Pooling } from './pooling.js';
import { PReLU } from './prelu.js';
import { quantized } from './quantized.js';
import { Reduction } from './reduction.js';
import { Reshape } from './reshape.js';
import { Scale } from './scale.js';
import { SigmoidCrossEntropyLoss } from './sigmoid-cross-entropy-loss.js';
import { Silence } from './silence.js';
import { Slice } from './slice.js';
import { Softmax } from './softmax.js';
import { SoftmaxWithLoss } from './softmax-with-loss.js';
import { Split } from './split.js';
import { SPP } from './spp.js';
import { Tile } from './tile.js';
import { unaryLayers } from './unary.js';

type LayerClass = new (...args: Parameters<LayerFactory>) => ReturnType<LayerFactory>;

function of(Class: LayerClass): LayerFactory {
  return (param, context) => new Class(param, context);
}

/** Every layer type that computes something from its bottoms, by its name in the prototxt; one row each. */
export const layers: LayerRegistry = {
  Accuracy: of(Accuracy),
  ArgMax: of(ArgMax),
  BatchNorm: of(BatchNorm),
  BatchReindex: of(BatchReindex),
  Bias: of(Bias),
  Concat: of(Concat),
  ContrastiveLoss: of(ContrastiveLoss),
  Convolution: of(Convolution),
  ConvolutionRistretto: quantized(Convolution),
  Crop: of(Crop),
  Deconvolution: of(Deconvolution),
  DeconvolutionRistretto: quantized(Deconvolution),
  Dropout: of(Dropout),
  Eltwise: of(Eltwise),
  Embed: of(Embed),
  EuclideanLoss: of(EuclideanLoss),
  FcRistretto: quantized(InnerProduct),
  Filter: of(Filter),
  Flatten: of(Flatten),
  HingeLoss: of(HingeLoss),
  Im2col: of(Im2col),
  InfogainLoss: of(InfogainLoss),
  InnerProduct: of(InnerProduct),
  Input: of(Input),
  LRN: of(LRN),
  LRNRistretto: of(LRNRistretto),
  MultinomialLogisticLoss: of(MultinomialLogisticLoss),
  MVN: of(MVN),
  Parameter: of(Parameter),
  Pooling: of(Pooling),
  PReLU: of(PReLU),
  Reduction: of(Reduction),
  Reshape: of(Reshape),
  Scale: of(Scale),
  SigmoidCrossEntropyLoss: of(SigmoidCrossEntropyLoss),
  Silence: of(Silence),
  Slice: of(Slice),
  Softmax: of(Softmax),
  SoftmaxWithLoss: of(SoftmaxWithLoss),
  Split: of(Split),
  SPP: of(SPP),
  Tile: of(Tile),
  ...unaryLayers,
};

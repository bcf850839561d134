/** A layer type: its name in the second kind of net, and why it is not to be had here, where it is not. */
interface LayerTypeRow {
  v1?: string;
  /** What to do instead; the type is Caffe's, but no layer of that type is here. */
  missing?: string;
}

const none: LayerTypeRow = {};

/** Every layer type of Caffe and Ristretto by its name of today, and those that are our own; one row each. */
const layerTypes = {
  AbsVal: { v1: 'ABSVAL' },
  Accuracy: { v1: 'ACCURACY' },
  ArgMax: { v1: 'ARGMAX' },
  BNLL: { v1: 'BNLL' },
  BatchNorm: none,
  BatchReindex: none,
  Bias: none,
  Clip: none,
  Concat: { v1: 'CONCAT' },
  ContrastiveLoss: { v1: 'CONTRASTIVE_LOSS' },
  Convolution: { v1: 'CONVOLUTION' },
  ConvolutionRistretto: none,
  Crop: none,
  Data: { v1: 'DATA' },
  Deconvolution: { v1: 'DECONVOLUTION' },
  DeconvolutionRistretto: none,
  Dropout: { v1: 'DROPOUT' },
  DummyData: { v1: 'DUMMY_DATA' },
  ELU: none,
  Eltwise: { v1: 'ELTWISE' },
  Embed: none,
  EuclideanLoss: { v1: 'EUCLIDEAN_LOSS' },
  Exp: { v1: 'EXP' },
  FcRistretto: none,
  Filter: none,
  Flatten: { v1: 'FLATTEN' },
  HDF5Data: { v1: 'HDF5_DATA' },
  HDF5Output: {
    v1: 'HDF5_OUTPUT',
    missing: 'leave the layer out, then its bottoms are outputs of the net',
  },
  HingeLoss: { v1: 'HINGE_LOSS' },
  Im2col: { v1: 'IM2COL' },
  ImageData: { v1: 'IMAGE_DATA' },
  ImageFolder: none,
  InfogainLoss: { v1: 'INFOGAIN_LOSS' },
  InnerProduct: { v1: 'INNER_PRODUCT' },
  Input: none,
  LRN: { v1: 'LRN' },
  LRNRistretto: none,
  LSTM: { missing: 'layers in front of it run in a net that ends there' },
  LSTMUnit: { missing: 'layers in front of it run in a net that ends there' },
  Log: none,
  MVN: { v1: 'MVN' },
  MemoryData: { v1: 'MEMORY_DATA' },
  MultinomialLogisticLoss: { v1: 'MULTINOMIAL_LOGISTIC_LOSS' },
  PReLU: none,
  Parameter: none,
  Pooling: { v1: 'POOLING' },
  Power: { v1: 'POWER' },
  Python: {
    missing:
      'there is no Python here: layers in front of it run in a net that ends there, its tops can come from an Input layer',
  },
  RNN: { missing: 'layers in front of it run in a net that ends there' },
  ReLU: { v1: 'RELU' },
  Reduction: none,
  Reshape: none,
  SPP: none,
  Scale: none,
  Sigmoid: { v1: 'SIGMOID' },
  SigmoidCrossEntropyLoss: { v1: 'SIGMOID_CROSS_ENTROPY_LOSS' },
  Silence: { v1: 'SILENCE' },
  Slice: { v1: 'SLICE' },
  Softmax: { v1: 'SOFTMAX' },
  SoftmaxWithLoss: { v1: 'SOFTMAX_LOSS' },
  Split: { v1: 'SPLIT' },
  Swish: none,
  TanH: { v1: 'TANH' },
  Threshold: { v1: 'THRESHOLD' },
  Tile: none,
  WindowData: {
    v1: 'WINDOW_DATA',
    missing: 'cut the windows out and read them with ImageData or Data',
  },
} as const satisfies Readonly<Record<string, LayerTypeRow>>;

const rows: Readonly<Record<string, LayerTypeRow>> = layerTypes;
const fromV1 = new Map(Object.entries(rows).flatMap(([name, { v1 }]) => (v1 ? [[v1, name] as const] : [])));

/** Layer types that Caffe, Ristretto or we have, by their names of today. */
export const knownLayerTypes: readonly string[] = Object.keys(rows);

/** What to do instead of a layer type that Caffe has and that is not here; undefined for all others. */
export function missingLayerType(type: string): string | undefined {
  return typeof type === 'string' && Object.hasOwn(rows, type) ? rows[type].missing : undefined;
}

/** The type's name of today for one of `layers { type: CONVOLUTION }`; '' for NONE. */
export function typeOfV1(name: string): string {
  return fromV1.get(name) ?? '';
}

/** The type's name in `layers { … }`, whatever its case; undefined where it came later. */
export function v1OfType(type: string): string | undefined {
  const found = knownLayerTypes.find((name) => name.toLowerCase() === type.toLowerCase());
  return found === undefined ? undefined : rows[found].v1;
}

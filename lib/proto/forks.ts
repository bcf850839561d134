// What prototxts of Caffe's forks have that Caffe has not: which fork a name is from, and what says the same here.

interface ForkRow {
  /** The fork, as people look for it. */
  owner: string;
  /** What to write instead. */
  cure?: string;
}

const SSD: ForkRow = { owner: "weiliu89/caffe's ssd branch" };
const RCNN: ForkRow = { owner: 'rbgirshick/caffe-fast-rcnn' };
const RFCN: ForkRow = { owner: "R-FCN's Caffe (daijifeng001/caffe-rfcn)" };
const SEGNET: ForkRow = { owner: "SegNet's Caffe (alexgkendall/caffe-segnet)" };
const YOLO: ForkRow = { owner: 'the YOLO forks (eric612/MobileNet-YOLO, hustzxd)' };
const SYNOPSYS: ForkRow = { owner: 'synopsys-caffe' };
const NVIDIA: ForkRow = { owner: 'NVIDIA/caffe' };
const INTEL: ForkRow = { owner: 'intel/caffe' };
const SENET: ForkRow = { owner: "SENet's Caffe (hujie-frank/SENet)" };
const PSPNET: ForkRow = { owner: 'the Caffe of DeepLab and PSPNet' };

const DEPTHWISE: ForkRow = {
  owner: "MobileNet's forks",
  cure: 'write type: "Convolution" with group: the number of input channels; parameters and weights are the same',
};
const RELU6 = 'write a ReLU and behind it type: "Clip" with clip_param { min: 0 max: 6 }';
const BATCH_NORM =
  'write a BatchNorm and a Scale with bias_term: true behind it; the weights must be converted';
const LEAVE_OUT = 'it changes no result: leave it out';
const sure = (row: ForkRow, cure: string): ForkRow => ({ ...row, cure });

/** Layer types. */
const types: Readonly<Record<string, ForkRow>> = {
  AffineTransform: { owner: 'forks with spatial transformers' },
  AnnotatedData: SSD,
  Axpy: sure(SENET, 'write a Scale with two bottoms and an Eltwise behind it'),
  BN: sure({ owner: `${SEGNET.owner} and PSPNet's` }, BATCH_NORM),
  BoxAnnotatorOHEM: RFCN,
  CenterLoss: { owner: 'ydwen/caffe-face' },
  ConvolutionDepthwise: DEPTHWISE,
  DenseImageData: SEGNET,
  DepthwiseConv: DEPTHWISE,
  DepthwiseConvolution: DEPTHWISE,
  DepthWiseConvolution: DEPTHWISE,
  DetectionEvaluate: SSD,
  DetectionOutput: SSD,
  EvalDetection: YOLO,
  Interp: PSPNET,
  LabelSpecificAdd: { owner: 'forks for faces' },
  LocallyConnected: { owner: 'a pull request to Caffe' },
  MarginInnerProduct: { owner: "SphereFace's Caffe (wy1iu/sphereface)" },
  Mish: YOLO,
  MultiBoxLoss: SSD,
  Normalize: SSD,
  Permute: SSD,
  PriorBox: SSD,
  Proposal: { owner: 'intel/caffe and forks for Faster R-CNN' },
  PSROIPooling: RFCN,
  ReLU6: sure(YOLO, RELU6),
  RegionLoss: YOLO,
  Reorg: YOLO,
  ROIAlign: { owner: 'forks for Mask R-CNN' },
  ROIPooling: RCNN,
  ShuffleChannel: { owner: 'farmingyard/ShuffleNet' },
  SmoothL1Loss: RCNN,
  SmoothL1LossOHEM: RFCN,
  SoftmaxWithLossOHEM: RFCN,
  SparseData: { owner: 'a pull request to Caffe' },
  SpatialTransformer: { owner: 'forks with spatial transformers' },
  Upsample: SEGNET,
  VideoData: SSD,
  YoloDetectionOutput: YOLO,
  YoloSegmentation: YOLO,
  Yolov3: YOLO,
  Yolov3DetectionOutput: YOLO,
};

/** Fields, as message.field. */
const fields: Readonly<Record<string, ForkRow>> = {
  'BatchNormParameter.bn_stats_batch_size': sure(INTEL, LEAVE_OUT),
  'BatchNormParameter.engine': sure(INTEL, LEAVE_OUT),
  'BatchNormParameter.scale_bias': sure(
    NVIDIA,
    'write a Scale with bias_term: true behind the BatchNorm; the weights must be split',
  ),
  'BatchNormParameter.scale_filler': NVIDIA,
  'BatchNormParameter.bias_filler': NVIDIA,
  'ConvolutionParameter.pad_b': SYNOPSYS,
  'ConvolutionParameter.pad_l': SYNOPSYS,
  'ConvolutionParameter.pad_r': SYNOPSYS,
  'ConvolutionParameter.pad_t': SYNOPSYS,
  'ConvolutionParameter.pad_type': SYNOPSYS,
  'ConvolutionParameter.cudnn_math_override': sure(NVIDIA, LEAVE_OUT),
  'ConvolutionParameter.conv_algos_override': sure(NVIDIA, LEAVE_OUT),
  'DataParameter.cache': sure(NVIDIA, LEAVE_OUT),
  'DataParameter.shuffle': INTEL,
  'DataParameter.threads': sure(NVIDIA, LEAVE_OUT),
  'DataParameter.parser_threads': sure(NVIDIA, LEAVE_OUT),
  'LayerParameter.annotated_data_param': SSD,
  'LayerParameter.backward_math': sure(NVIDIA, LEAVE_OUT),
  'LayerParameter.backward_type': sure(NVIDIA, LEAVE_OUT),
  'LayerParameter.bn_param': sure({ owner: `${SEGNET.owner} and PSPNet's` }, BATCH_NORM),
  'LayerParameter.box_annotator_ohem_param': RFCN,
  'LayerParameter.center_loss_param': { owner: 'ydwen/caffe-face' },
  'LayerParameter.dense_image_data_param': SEGNET,
  'LayerParameter.detection_evaluate_param': SSD,
  'LayerParameter.detection_output_param': SSD,
  'LayerParameter.engine': sure(INTEL, LEAVE_OUT),
  'LayerParameter.eval_detection_param': YOLO,
  'LayerParameter.expand_dims_nd_param': SYNOPSYS,
  'LayerParameter.forward_math': sure(NVIDIA, LEAVE_OUT),
  'LayerParameter.forward_type': sure(NVIDIA, LEAVE_OUT),
  'LayerParameter.interp_param': PSPNET,
  'LayerParameter.margin_inner_product_param': { owner: "SphereFace's Caffe (wy1iu/sphereface)" },
  'LayerParameter.multibox_loss_param': SSD,
  'LayerParameter.norm_param': SSD,
  'LayerParameter.pad_param': SYNOPSYS,
  'LayerParameter.permute_param': SSD,
  'LayerParameter.prior_box_param': SSD,
  'LayerParameter.proposal_param': { owner: 'intel/caffe and forks for Faster R-CNN' },
  'LayerParameter.psroi_pooling_param': RFCN,
  'LayerParameter.region_loss_param': YOLO,
  'LayerParameter.reorg_param': YOLO,
  'LayerParameter.roi_align_param': { owner: 'forks for Mask R-CNN' },
  'LayerParameter.roi_pooling_param': RCNN,
  'LayerParameter.shuffle_channel_param': { owner: 'farmingyard/ShuffleNet' },
  'LayerParameter.smooth_l1_loss_param': RCNN,
  'LayerParameter.squeeze_param': SYNOPSYS,
  'LayerParameter.st_param': { owner: 'forks with spatial transformers' },
  'LayerParameter.unstack_param': SYNOPSYS,
  'LayerParameter.upsample_param': SEGNET,
  'LayerParameter.video_data_param': SSD,
  'LayerParameter.yolo_detection_output_param': YOLO,
  'LayerParameter.yolov3_detection_output_param': YOLO,
  'LayerParameter.yolov3_param': YOLO,
  'LossParameter.class_weighting': SEGNET,
  'LossParameter.pre_fixed_normalizer': RFCN,
  'LossParameter.weight_by_label_freqs': SEGNET,
  'NetParameter.bn_stats_batch_size': sure(INTEL, LEAVE_OUT),
  'NetParameter.default_backward_math': sure(NVIDIA, LEAVE_OUT),
  'NetParameter.default_backward_type': sure(NVIDIA, LEAVE_OUT),
  'NetParameter.default_forward_math': sure(NVIDIA, LEAVE_OUT),
  'NetParameter.default_forward_type': sure(NVIDIA, LEAVE_OUT),
  'NetParameter.engine': sure(INTEL, LEAVE_OUT),
  'PoolingParameter.ceil_mode': {
    owner: 'soeaver/caffe and others',
    cure: 'ceil_mode: true is round_mode: CEIL, which is the default, ceil_mode: false is round_mode: FLOOR',
  },
  'PoolingParameter.pad_b': SYNOPSYS,
  'PoolingParameter.pad_l': SYNOPSYS,
  'PoolingParameter.pad_r': SYNOPSYS,
  'PoolingParameter.pad_t': SYNOPSYS,
  'QuantizationParameter.scale_in': INTEL,
  'QuantizationParameter.scale_out': INTEL,
  'QuantizationParameter.scale_params': INTEL,
  'ReLUParameter.relu6': sure(SYNOPSYS, RELU6),
  'SolverParameter.ap_version': SSD,
  'SolverParameter.eval_type': SSD,
  'SolverParameter.larc': NVIDIA,
  'SolverParameter.larc_eta': NVIDIA,
  'SolverParameter.larc_policy': NVIDIA,
  'SolverParameter.show_per_class_result': SSD,
  'SolverParameter.warmup_iter': sure(INTEL, '--warmup says the same'),
  'SolverParameter.warmup_start_lr': INTEL,
  'TransformationParameter.distort_param': SSD,
  'TransformationParameter.emit_constraint': SSD,
  'TransformationParameter.expand_param': SSD,
  'TransformationParameter.img_rand_resize_lower': NVIDIA,
  'TransformationParameter.img_rand_resize_upper': NVIDIA,
  'TransformationParameter.noise_param': SSD,
  'TransformationParameter.resize_param': SSD,
};

/** Values of enums, as enum.value. */
const values: Readonly<Record<string, ForkRow>> = {
  'LossParameter_NormalizationMode.PRE_FIXED': RFCN,
  'PoolingParameter_PoolMethod.AVE_EXC_PAD': SYNOPSYS,
  'PoolingParameter_PoolMethod.AVE_TF': SYNOPSYS,
};

const squash = (name: string) => name.replaceAll('_', '').toLowerCase();
const bySquashedType = new Map(Object.entries(types).map(([name, row]) => [squash(name), row]));

function tell({ owner, cure }: ForkRow): string {
  return `belongs to ${owner}${cure ? `: ${cure}` : ''}`;
}

/** "belongs to FORK: what to write instead" for a layer type of a fork, also as an old net writes it; else null. */
export function forkOfType(type: string): string | null {
  const row = bySquashedType.get(squash(type));
  return row ? tell(row) : null;
}

/** Names that say too little without their message. */
const common = new Set(['cache', 'engine', 'shuffle', 'threads', 'bias_filler', 'scale_filler']);
const byName = new Map(
  Object.entries(fields)
    .map(([key, row]) => [key.slice(key.indexOf('.') + 1), row] as const)
    .filter(([name]) => !common.has(name)),
);

/** As `forkOfType`, for a field of a message; the forks do not all have it in the same one. */
export function forkOfField(message: string, field: string): string | null {
  // An old layer's fields are those of today's.
  const key = `${message === 'V1LayerParameter' ? 'LayerParameter' : message}.${field}`;
  const row = Object.hasOwn(fields, key) ? fields[key] : byName.get(field);
  return row ? tell(row) : null;
}

/** As `forkOfType`, for a value of an enum. */
export function forkOfValue(type: string, value: string): string | null {
  const key = `${type}.${value}`;
  if (Object.hasOwn(values, key)) return tell(values[key]);
  return type.endsWith('_Engine') && /^MKL/.test(value) ? tell(sure(INTEL, LEAVE_OUT)) : null;
}

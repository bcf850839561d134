// The ops that run on a device: one row each. run(context, arguments) launches the kernels of an op and
// returns true, or returns false and leaves everything as it is, where this problem is one for the CPU: the
// caller then waits for the device and runs the op there, on the same memory.
#pragma once

#include "context.h"
#include "core/op/accuracy.h"
#include "core/op/affine.h"
#include "core/op/affine_gradient.h"
#include "core/op/arg_max.h"
#include "core/op/batch_norm.h"
#include "core/op/batch_norm_gradient.h"
#include "core/op/col2im.h"
#include "core/op/contrastive_loss.h"
#include "core/op/contrastive_loss_gradient.h"
#include "core/op/convolution.h"
#include "core/op/convolution_fixed.h"
#include "core/op/convolution_gradient.h"
#include "core/op/copy.h"
#include "core/op/copy_strided.h"
#include "core/op/deconvolution.h"
#include "core/op/deconvolution_gradient.h"
#include "core/op/dropout.h"
#include "core/op/elementwise.h"
#include "core/op/eltwise.h"
#include "core/op/eltwise_gradient.h"
#include "core/op/gather_rows.h"
#include "core/op/inner_product.h"
#include "core/op/inner_product_gradient.h"
#include "core/op/loss.h"
#include "core/op/loss_gradient.h"
#include "core/op/lrn.h"
#include "core/op/lrn_gradient.h"
#include "core/op/mvn.h"
#include "core/op/mvn_gradient.h"
#include "core/op/pooled_convolution_fixed.h"
#include "core/op/pooling.h"
#include "core/op/pooling_codes.h"
#include "core/op/pooling_gradient.h"
#include "core/op/prelu.h"
#include "core/op/prelu_gradient.h"
#include "core/op/quantise.h"
#include "core/op/quantise_tensor.h"
#include "core/op/range.h"
#include "core/op/reduce.h"
#include "core/op/reduce_gradient.h"
#include "core/op/requantise.h"
#include "core/op/scatter_rows.h"
#include "core/op/softmax.h"
#include "core/op/softmax_gradient.h"
#include "core/op/sum_of_squares.h"
#include "core/op/transform_images.h"
#include "core/op/trim.h"
#include "core/op/unary.h"
#include "core/op/unary_gradient.h"

namespace ristretto::cuda {

// Ops without a row.
template <class Arguments>
bool run(Context&, const Arguments&) {
  return false;
}

bool run(Context& context, const AccuracyArguments& arguments);
bool run(Context& context, const AffineArguments& arguments);
bool run(Context& context, const AffineGradientArguments& arguments);
bool run(Context& context, const ArgMaxArguments& arguments);
bool run(Context& context, const AveragePoolingCodesArguments& arguments);
bool run(Context& context, const BatchNormArguments& arguments);
bool run(Context& context, const BatchNormGradientArguments& arguments);
bool run(Context& context, const Col2imArguments& arguments);
bool run(Context& context, const ContrastiveLossArguments& arguments);
bool run(Context& context, const ContrastiveLossGradientArguments& arguments);
bool run(Context& context, const ConvolutionArguments& arguments);
bool run(Context& context, const ConvolutionFixedArguments& arguments);
bool run(Context& context, const ConvolutionGradientArguments& arguments);
bool run(Context& context, const CopyArguments& arguments);
bool run(Context& context, const CopyStridedArguments& arguments);
bool run(Context& context, const DeconvolutionArguments& arguments);
bool run(Context& context, const DeconvolutionGradientArguments& arguments);
bool run(Context& context, const DequantiseArguments& arguments);
bool run(Context& context, const DropoutArguments& arguments);
bool run(Context& context, const ElementwiseArguments& arguments);
bool run(Context& context, const EltwiseArguments& arguments);
bool run(Context& context, const EltwiseGradientArguments& arguments);
bool run(Context& context, const GatherRowsArguments& arguments);
bool run(Context& context, const InnerProductArguments& arguments);
bool run(Context& context, const InnerProductGradientArguments& arguments);
bool run(Context& context, const LabelLossArguments& arguments);
bool run(Context& context, const LabelLossGradientArguments& arguments);
bool run(Context& context, const LrnArguments& arguments);
bool run(Context& context, const LrnGradientArguments& arguments);
bool run(Context& context, const MaxPoolingCodesArguments& arguments);
bool run(Context& context, const MvnArguments& arguments);
bool run(Context& context, const MvnGradientArguments& arguments);
bool run(Context& context, const PairLossArguments& arguments);
bool run(Context& context, const PairLossGradientArguments& arguments);
bool run(Context& context, const PooledConvolutionFixedArguments& arguments);
bool run(Context& context, const PoolingArguments& arguments);
bool run(Context& context, const PoolingGradientArguments& arguments);
bool run(Context& context, const PreluArguments& arguments);
bool run(Context& context, const PreluGradientArguments& arguments);
bool run(Context& context, const QuantiseArguments& arguments);
bool run(Context& context, const QuantiseTensorArguments& arguments);
bool run(Context& context, const RangeArguments& arguments);
bool run(Context& context, const ReduceArguments& arguments);
bool run(Context& context, const ReduceGradientArguments& arguments);
bool run(Context& context, const RequantiseArguments& arguments);
bool run(Context& context, const ScatterRowsArguments& arguments);
bool run(Context& context, const SoftmaxArguments& arguments);
bool run(Context& context, const SoftmaxGradientArguments& arguments);
bool run(Context& context, const SumOfSquaresArguments& arguments);
bool run(Context& context, const TransformImagesArguments& arguments);
bool run(Context& context, const TrimArguments& arguments);
bool run(Context& context, const UnaryArguments& arguments);
bool run(Context& context, const UnaryGradientArguments& arguments);

}  // namespace ristretto::cuda

#include "core/op/convolution_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_convolution_gradient() {
  using A = ConvolutionGradientArguments;
  return bind<ConvolutionGradient>("convolutionGradient",
                                   {
                                       tensor("src", &A::src),
                                       tensor("weights", &A::weights),
                                       tensor("dstDiff", &A::dst_diff),
                                       optional_tensor("srcDiff", &A::src_diff),
                                       optional_tensor("weightsDiff", &A::weights_diff),
                                       optional_tensor("biasDiff", &A::bias_diff),
                                       integer("strideH", &A::stride_h, true, 1),
                                       integer("strideW", &A::stride_w, true, 1),
                                       integer("padH", &A::pad_h, true, 0),
                                       integer("padW", &A::pad_w, true, 0),
                                       integer("dilationH", &A::dilation_h, true, 1),
                                       integer("dilationW", &A::dilation_w, true, 1),
                                       integer("group", &A::group, true, 1),
                                       boolean("winograd", &A::winograd),
                                   });
}

}  // namespace ristretto::binding

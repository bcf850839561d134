#include "core/op/softmax_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_softmax_gradient() {
  using A = SoftmaxGradientArguments;
  return bind<SoftmaxGradient>("softmaxGradient", {
                                                      tensor("dst", &A::dst),
                                                      tensor("dstDiff", &A::dst_diff),
                                                      tensor("srcDiff", &A::src_diff),
                                                      integer("axis", &A::axis, true, 0),
                                                  });
}

}  // namespace ristretto::binding

#include "core/op/affine_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_affine_gradient() {
  using A = AffineGradientArguments;
  return bind<AffineGradient>("affineGradient", {
                                                    optional_tensor("src", &A::src),
                                                    tensor("dstDiff", &A::dst_diff),
                                                    optional_tensor("scaleDiff", &A::scale_diff),
                                                    optional_tensor("biasDiff", &A::bias_diff),
                                                    integer("axis", &A::axis, true, 0),
                                                    integer("axes", &A::axes, true, 0),
                                                });
}

}  // namespace ristretto::binding

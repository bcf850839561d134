#include "core/op/prelu_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_prelu_gradient() {
  using A = PreluGradientArguments;
  return bind<PreluGradient>("preluGradient", {
                                                  tensor("src", &A::src),
                                                  tensor("slope", &A::slope),
                                                  tensor("dstDiff", &A::dst_diff),
                                                  optional_tensor("srcDiff", &A::src_diff),
                                                  optional_tensor("slopeDiff", &A::slope_diff),
                                              });
}

}  // namespace ristretto::binding

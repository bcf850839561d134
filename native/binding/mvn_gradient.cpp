#include "core/op/mvn_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_mvn_gradient() {
  using A = MvnGradientArguments;
  return bind<MvnGradient>("mvnGradient", {
                                              optional_tensor("src", &A::src),
                                              tensor("dstDiff", &A::dst_diff),
                                              tensor("srcDiff", &A::src_diff),
                                              integer("rows", &A::rows, true, 1),
                                              boolean("normalizeVariance", &A::normalize_variance),
                                              number("eps", &A::eps, true),
                                          });
}

}  // namespace ristretto::binding

#include "core/op/eltwise_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_eltwise_gradient() {
  using A = EltwiseGradientArguments;
  return bind<EltwiseGradient>("eltwiseGradient", {
                                                      tensors("srcs", &A::srcs),
                                                      tensor("dstDiff", &A::dst_diff),
                                                      tensors("srcDiffs", &A::src_diffs),
                                                      integers("indices", &A::indices),
                                                      choice("operation", &A::operation,
                                                             {{"sum", EltwiseOperation::sum},
                                                              {"product", EltwiseOperation::product},
                                                              {"maximum", EltwiseOperation::maximum}}),
                                                      numbers("coefficients", &A::coefficients),
                                                  });
}

}  // namespace ristretto::binding

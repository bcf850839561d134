#include "core/op/eltwise_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_eltwise_gradient() {
  using A = EltwiseGradientArguments;
  return bind<EltwiseGradient>(
      "eltwiseGradient",
      {
          tensors("srcs", &A::srcs),
          integer("index", &A::index, true, 0),
          tensor("dstDiff", &A::dst_diff),
          tensor("srcDiff", &A::src_diff),
          choice("operation", &A::operation,
                 {{"product", EltwiseOperation::product}, {"maximum", EltwiseOperation::maximum}}),
      });
}

}  // namespace ristretto::binding

#include "core/op/inner_product_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_inner_product_gradient() {
  using A = InnerProductGradientArguments;
  return bind<InnerProductGradient>("innerProductGradient",
                                    {
                                        tensor("src", &A::src),
                                        tensor("weights", &A::weights),
                                        tensor("dstDiff", &A::dst_diff),
                                        optional_tensor("srcDiff", &A::src_diff),
                                        optional_tensor("weightsDiff", &A::weights_diff),
                                        optional_tensor("biasDiff", &A::bias_diff),
                                        boolean("transpose", &A::transpose),
                                    });
}

}  // namespace ristretto::binding

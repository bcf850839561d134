#include "core/op/batch_norm_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_batch_norm_gradient() {
  using A = BatchNormGradientArguments;
  return bind<BatchNormGradient>("batchNormGradient", {
                                                          optional_tensor("src", &A::src),
                                                          tensor("dstDiff", &A::dst_diff),
                                                          tensor("srcDiff", &A::src_diff),
                                                          tensor("used", &A::used),
                                                          boolean("batch", &A::batch),
                                                      });
}

}  // namespace ristretto::binding

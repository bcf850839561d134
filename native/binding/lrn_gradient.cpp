#include "core/op/lrn_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_lrn_gradient() {
  using A = LrnGradientArguments;
  return bind<LrnGradient>(
      "lrnGradient",
      {
          tensor("src", &A::src),
          tensor("dstDiff", &A::dst_diff),
          tensor("srcDiff", &A::src_diff),
          choice("region", &A::region,
                 {{"across", LrnRegion::across_channels}, {"within", LrnRegion::within_channel}}),
          integer("size", &A::size, true, 1),
          number("alpha", &A::alpha, true),
          number("beta", &A::beta, true),
          number("k", &A::k, true),
      });
}

}  // namespace ristretto::binding

#include "core/op/lrn.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_lrn() {
  using A = LrnArguments;
  return bind<Lrn>(
      "lrn", {
                 tensor("src", &A::src),
                 tensor("dst", &A::dst),
                 choice("region", &A::region,
                        {{"across", LrnRegion::across_channels}, {"within", LrnRegion::within_channel}}),
                 integer("size", &A::size, true, 1),
                 number("alpha", &A::alpha, true),
                 number("beta", &A::beta, true),
                 number("k", &A::k, true),
                 trim_format("trim", &A::trim),
             });
}

}  // namespace ristretto::binding

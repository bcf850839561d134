#include "core/op/pooling_gradient.h"

#include "window_fields.h"

namespace ristretto::binding {

BoundOp bind_pooling_gradient() {
  using A = PoolingGradientArguments;
  return bind<PoolingGradient>("poolingGradient", joined<A>(
                                                      {
                                                          optional_tensor("src", &A::src),
                                                          tensor("dstDiff", &A::dst_diff),
                                                          tensor("srcDiff", &A::src_diff),
                                                          boolean("accumulate", &A::accumulate),
                                                          boolean("rectified", &A::rectified),
                                                      },
                                                      pooling_fields<A>()));
}

}  // namespace ristretto::binding

#include "core/op/pooling.h"

#include "window_fields.h"

namespace ristretto::binding {

BoundOp bind_pooling() {
  using A = PoolingArguments;
  return bind<Pooling>("pooling", joined<A>(
                                      {
                                          tensor("src", &A::src),
                                          tensor("dst", &A::dst),
                                          optional_tensor("mask", &A::mask),
                                      },
                                      pooling_fields<A>()));
}

}  // namespace ristretto::binding

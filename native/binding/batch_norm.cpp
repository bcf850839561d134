#include "core/op/batch_norm.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_batch_norm() {
  using A = BatchNormArguments;
  return bind<BatchNorm>("batchNorm", {
                                          tensor("src", &A::src),
                                          tensor("dst", &A::dst),
                                          tensor("mean", &A::mean),
                                          tensor("variance", &A::variance),
                                          tensor("weight", &A::weight),
                                          optional_tensor("used", &A::used),
                                          number("eps", &A::eps, true),
                                          number("movingAverageFraction", &A::moving_average_fraction, true),
                                          boolean("update", &A::update),
                                      });
}

}  // namespace ristretto::binding

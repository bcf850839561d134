#include "core/op/softmax.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_softmax() {
  using A = SoftmaxArguments;
  return bind<Softmax>("softmax", {
                                      tensor("src", &A::src),
                                      tensor("dst", &A::dst),
                                      integer("axis", &A::axis, true, 0),
                                  });
}

}  // namespace ristretto::binding

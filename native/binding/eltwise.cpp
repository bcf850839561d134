#include "core/op/eltwise.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_eltwise() {
  using A = EltwiseArguments;
  return bind<Eltwise>("eltwise", {
                                      tensors("srcs", &A::srcs),
                                      tensor("dst", &A::dst),
                                      choice("operation", &A::operation,
                                             {{"sum", EltwiseOperation::sum},
                                              {"product", EltwiseOperation::product},
                                              {"maximum", EltwiseOperation::maximum}}),
                                      numbers("coefficients", &A::coefficients),
                                  });
}

}  // namespace ristretto::binding

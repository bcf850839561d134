#include "core/op/unary_gradient.h"

#include "unary_function.h"

namespace ristretto::binding {

BoundOp bind_unary_gradient() {
  using A = UnaryGradientArguments;
  return bind<UnaryGradient>("unaryGradient", {
                                                  tensor("values", &A::values),
                                                  tensor("dstDiff", &A::dst_diff),
                                                  tensor("srcDiff", &A::src_diff),
                                                  unary_function("function", &A::function),
                                                  number("a", &A::a),
                                                  number("b", &A::b),
                                                  number("c", &A::c),
                                              });
}

}  // namespace ristretto::binding

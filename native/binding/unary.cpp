#include "core/op/unary.h"

#include "unary_function.h"

namespace ristretto::binding {

BoundOp bind_unary() {
  using A = UnaryArguments;
  return bind<Unary>("unary", {
                                  tensor("src", &A::src),
                                  tensor("dst", &A::dst),
                                  unary_function("function", &A::function),
                                  number("a", &A::a),
                                  number("b", &A::b),
                                  number("c", &A::c),
                              });
}

}  // namespace ristretto::binding

#include "core/op/unary.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_unary() {
  using A = UnaryArguments;
  return bind<Unary>("unary", {
                                  tensor("src", &A::src),
                                  tensor("dst", &A::dst),
                                  choice("function", &A::function,
                                         {{"relu", UnaryFunction::relu},
                                          {"absolute", UnaryFunction::absolute},
                                          {"bnll", UnaryFunction::bnll},
                                          {"clip", UnaryFunction::clip},
                                          {"elu", UnaryFunction::elu},
                                          {"exponent", UnaryFunction::exponent},
                                          {"logarithm", UnaryFunction::logarithm},
                                          {"power", UnaryFunction::power},
                                          {"sigmoid", UnaryFunction::sigmoid},
                                          {"swish", UnaryFunction::swish},
                                          {"tanh", UnaryFunction::tanh},
                                          {"threshold", UnaryFunction::threshold}}),
                                  number("a", &A::a),
                                  number("b", &A::b),
                                  number("c", &A::c),
                              });
}

}  // namespace ristretto::binding

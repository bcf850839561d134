#include "core/op/reduce.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_reduce() {
  using A = ReduceArguments;
  return bind<Reduce>("reduce", {
                                    tensor("src", &A::src),
                                    tensor("dst", &A::dst),
                                    choice("operation", &A::operation,
                                           {{"sum", ReduceOperation::sum},
                                            {"absoluteSum", ReduceOperation::absolute_sum},
                                            {"squareSum", ReduceOperation::square_sum}}),
                                    number("coefficient", &A::coefficient),
                                });
}

}  // namespace ristretto::binding

#include "core/op/reduce_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_reduce_gradient() {
  using A = ReduceGradientArguments;
  return bind<ReduceGradient>("reduceGradient", {
                                                    tensor("src", &A::src),
                                                    tensor("dstDiff", &A::dst_diff),
                                                    tensor("srcDiff", &A::src_diff),
                                                    choice("operation", &A::operation,
                                                           {{"sum", ReduceOperation::sum},
                                                            {"absoluteSum", ReduceOperation::absolute_sum},
                                                            {"squareSum", ReduceOperation::square_sum}}),
                                                    number("coefficient", &A::coefficient),
                                                });
}

}  // namespace ristretto::binding

#include "core/op/sum_of_squares.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_sum_of_squares() {
  using A = SumOfSquaresArguments;
  return bind<SumOfSquares>("sumOfSquares", {tensors("srcs", &A::srcs), tensor("dst", &A::dst)});
}

}  // namespace ristretto::binding

// sum_of_squares: of all elements of several tensors together, in double. What a gradient's norm is made of.
#pragma once

#include <vector>

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct SumOfSquaresArguments {
  std::vector<Tensor> srcs;
  Tensor dst;  // i32, 2 elements: they take the sum, one float64

  template <class F>
  static void fields(F& field) {
    using A = SumOfSquaresArguments;
    field("srcs", &A::srcs);
    field("dst", &A::dst).doc("i32, 2: takes the sum's bits, a float64.");
  }
};

// Adds up in an order that is the same for every number of threads.
struct SumOfSquares {
  using Arguments = SumOfSquaresArguments;
  static constexpr const char* name = "sumOfSquares";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// reduce: one number from each row of src. Sums run in double, rounded once.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

enum class ReduceOperation : uint8_t { sum, absolute_sum, square_sum };

struct ReduceArguments {
  Tensor src;
  Tensor dst;  // one element per row; src is cut into as many equal rows
  ReduceOperation operation = ReduceOperation::sum;
  float coefficient = 1;  // of the result
};

struct Reduce {
  using Arguments = ReduceArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

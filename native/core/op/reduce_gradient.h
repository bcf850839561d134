// reduce gradient: every element of a row gets its row's dstDiff times the slope of the operation.
#pragma once

#include "reduce.h"

namespace ristretto {

struct ReduceGradientArguments {
  Tensor src;
  Tensor dst_diff;  // one element per row
  Tensor src_diff;  // the shape of src
  ReduceOperation operation = ReduceOperation::sum;
  float coefficient = 1;
};

struct ReduceGradient {
  using Arguments = ReduceGradientArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

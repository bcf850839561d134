// reduce gradient: every element of a row gets its row's dstDiff times the slope of the operation.
#pragma once

#include "../../op_fields.h"
#include "reduce.h"

namespace ristretto {

struct ReduceGradientArguments {
  Tensor src;
  Tensor dst_diff;  // one element per row
  Tensor src_diff;  // the shape of src
  ReduceOperation operation = ReduceOperation::sum;
  float coefficient = 1;

  template <class F>
  static void fields(F& field) {
    using A = ReduceGradientArguments;
    field("src", &A::src);
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    field("operation", &A::operation);
    field("coefficient", &A::coefficient).optional();
  }
};

struct ReduceGradient {
  using Arguments = ReduceGradientArguments;
  static constexpr const char* name = "reduceGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

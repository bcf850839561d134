// softmax gradient: srcDiff = (dstDiff - sum of dstDiff * dst) * dst along one axis. In place is allowed.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct SoftmaxGradientArguments {
  Tensor dst;  // the probabilities
  Tensor dst_diff;
  Tensor src_diff;  // the same shape
  int64_t axis = 1;

  template <class F>
  static void fields(F& field) {
    using A = SoftmaxGradientArguments;
    field("dst", &A::dst).doc("The probabilities.");
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    field("axis", &A::axis).at_least(0);
  }
};

struct SoftmaxGradient {
  using Arguments = SoftmaxGradientArguments;
  static constexpr const char* name = "softmaxGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

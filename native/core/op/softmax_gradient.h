// softmax gradient: srcDiff = (dstDiff - sum of dstDiff * dst) * dst along one axis. In place is allowed.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct SoftmaxGradientArguments {
  Tensor dst;  // the probabilities
  Tensor dst_diff;
  Tensor src_diff;  // the same shape
  int64_t axis = 1;
};

struct SoftmaxGradient {
  using Arguments = SoftmaxGradientArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

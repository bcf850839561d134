// eltwise gradient with respect to one source of a product or a maximum. A sum's is its coefficient times
// dstDiff.
#pragma once

#include "eltwise.h"

namespace ristretto {

struct EltwiseGradientArguments {
  std::vector<Tensor> srcs;
  int64_t index = 0;  // of the source
  Tensor dst_diff;
  Tensor src_diff;
  EltwiseOperation operation = EltwiseOperation::product;
};

struct EltwiseGradient {
  using Arguments = EltwiseGradientArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

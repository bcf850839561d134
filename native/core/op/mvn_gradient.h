// Gradient of mvn, with y the result and d the divisor of the forward pass:
//
//   src_diff = (dst_diff - mean(dst_diff) - y * mean(dst_diff * y)) / d
//
// without `normalize_variance` dst_diff less its mean. As in Caffe, eps is left out of the derivative of d.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct MvnGradientArguments {
  Tensor src;  // not read, and may be empty, without normalize_variance
  Tensor dst_diff;
  Tensor src_diff;   // the same shape; may be dst_diff
  int64_t rows = 1;  // equal parts, one after the other
  bool normalize_variance = true;
  float eps = 1e-9f;
};

struct MvnGradient {
  using Arguments = MvnGradientArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// Gradient of mvn, with y the result and d the divisor of the forward pass:
//
//   src_diff = (dst_diff - mean(dst_diff) - y * mean(dst_diff * y)) / d
//
// without `normalize_variance` dst_diff less its mean. As in Caffe, eps is left out of the derivative of d.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct MvnGradientArguments {
  Tensor src;  // not read, and may be empty, without normalize_variance
  Tensor dst_diff;
  Tensor src_diff;   // the same shape; may be dst_diff
  int64_t rows = 1;  // equal parts, one after the other
  bool normalize_variance = true;
  float eps = 1e-9f;

  template <class F>
  static void fields(F& field) {
    using A = MvnGradientArguments;
    field("src", &A::src).optional().doc("Not read without normalizeVariance.");
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    field("rows", &A::rows).at_least(1);
    field("normalizeVariance", &A::normalize_variance);
    field("eps", &A::eps);
  }
};

struct MvnGradient {
  using Arguments = MvnGradientArguments;
  static constexpr const char* name = "mvnGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

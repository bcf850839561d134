// Gradient of lrn, with s the scale k + alpha / size * sum (or 1 + alpha * mean) of the forward pass:
//
//   src_diff = dst_diff * s^-beta - 2 * alpha * beta / area * src * sum of (dst_diff * dst / s) over the
//   window
//
// where area is the size, or within a channel its square. The scale is computed again from src: reading it
// back would take as long as the squares do.
#pragma once

#include "../../op_fields.h"
#include "lrn.h"

namespace ristretto {

struct LrnGradientArguments {
  Tensor src;  // (N, C, H, W)
  Tensor dst_diff;
  Tensor src_diff;  // the same shape; each may be a channel slice; other memory than dst_diff
  LrnRegion region = LrnRegion::across_channels;
  int64_t size = 5;  // odd
  float alpha = 1, beta = 0.75f, k = 1;

  template <class F>
  static void fields(F& field) {
    using A = LrnGradientArguments;
    field("src", &A::src);
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    lrn_scale_fields<A>(field);
  }
};

struct LrnGradient {
  using Arguments = LrnGradientArguments;
  static constexpr const char* name = "lrnGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

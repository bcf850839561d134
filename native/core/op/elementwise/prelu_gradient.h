// prelu gradient: srcDiff = dstDiff * (src > 0 ? 1 : slope); slopeDiff += sum of dstDiff * min(src, 0).
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct PreluGradientArguments {
  Tensor src;         // (N, C, ...)
  Tensor slope;       // C elements, or one
  Tensor dst_diff;    // the shape of src
  Tensor src_diff;    // the same, or empty; may be dst_diff
  Tensor slope_diff;  // the shape of slope, or empty

  template <class F>
  static void fields(F& field) {
    using A = PreluGradientArguments;
    field("src", &A::src);
    field("slope", &A::slope);
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff).optional();
    field("slopeDiff", &A::slope_diff).optional();
  }
};

struct PreluGradient {
  using Arguments = PreluGradientArguments;
  static constexpr const char* name = "preluGradient";
  static constexpr const char* doc = "Overwrites srcDiff, adds to slopeDiff.";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// affine gradient, of dst = src * scale + bias with scale and bias broadcast: scaleDiff += sum of dstDiff *
// src, biasDiff += sum of dstDiff, each over the axes that scale and bias lack. The source's own gradient is
// dstDiff * scale: affine itself.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct AffineGradientArguments {
  Tensor src;  // needed for scale_diff only
  Tensor dst_diff;
  Tensor scale_diff;           // as many elements as the broadcast axes, or empty
  Tensor bias_diff;            // the same, or empty
  int64_t axis = 0, axes = 0;  // the axes of dst_diff that scale and bias have: [axis, axis + axes)

  template <class F>
  static void fields(F& field) {
    using A = AffineGradientArguments;
    field("src", &A::src).optional().doc("Needed for scaleDiff.");
    field("dstDiff", &A::dst_diff);
    field("scaleDiff", &A::scale_diff).optional();
    field("biasDiff", &A::bias_diff).optional();
    field("axis", &A::axis).at_least(0);
    field("axes", &A::axes).at_least(0);
  }
};

struct AffineGradient {
  using Arguments = AffineGradientArguments;
  static constexpr const char* name = "affineGradient";
  static constexpr const char* doc =
      "Adds to scaleDiff and biasDiff; the source's gradient is an `affine` of dstDiff.";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

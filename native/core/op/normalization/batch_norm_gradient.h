// Gradient of batch norm by what it normalises, with y the result and d the deviation of the forward pass:
//
//   src_diff = dst_diff / d                                                    by stored statistics
//   src_diff = (dst_diff - mean(dst_diff) - y * mean(dst_diff * y)) / d        by the batch's own
//
// where the means are taken over each channel. Statistics have no gradient.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct BatchNormGradientArguments {
  Tensor src;  // (N, C, ...), or (N) with one channel; may be empty for stored statistics
  Tensor dst_diff;
  Tensor src_diff;     // the same shape; may be dst_diff
  Tensor used;         // (2, C): as the forward pass left it
  bool batch = false;  // the statistics were the batch's own

  template <class F>
  static void fields(F& field) {
    using A = BatchNormGradientArguments;
    field("src", &A::src).optional().doc("Not read for stored statistics.");
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    field("used", &A::used).doc("As the forward pass left it.");
    field("batch", &A::batch).doc("The statistics were the batch's own.");
  }
};

struct BatchNormGradient {
  using Arguments = BatchNormGradientArguments;
  static constexpr const char* name = "batchNormGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

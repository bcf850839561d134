// contrastive loss gradient: pairs of one kind attract in proportion to their distance, others repel up to
// the margin. dstDiff is one number, the loss's weight, read when the op runs.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct ContrastiveLossGradientArguments {
  Tensor a, b;            // (N, C, ...)
  Tensor similar;         // N elements
  Tensor dst_diff;        // one element
  Tensor a_diff, b_diff;  // the shape of a, or empty
  float margin = 1;
  bool legacy = false;
};

struct ContrastiveLossGradient {
  using Arguments = ContrastiveLossGradientArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

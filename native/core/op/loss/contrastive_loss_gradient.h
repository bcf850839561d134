// contrastive loss gradient: pairs of one kind attract in proportion to their distance, others repel up to
// the margin. dstDiff is one number, the loss's weight, read when the op runs.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct ContrastiveLossGradientArguments {
  Tensor a, b;            // (N, C, ...)
  Tensor similar;         // N elements
  Tensor dst_diff;        // one element
  Tensor a_diff, b_diff;  // the shape of a, or empty
  float margin = 1;
  bool legacy = false;

  template <class F>
  static void fields(F& field) {
    using A = ContrastiveLossGradientArguments;
    field("a", &A::a);
    field("b", &A::b);
    field("similar", &A::similar);
    field("dstDiff", &A::dst_diff).doc("One number, the loss's weight.");
    field("aDiff", &A::a_diff).optional();
    field("bDiff", &A::b_diff).optional();
    field("margin", &A::margin).optional();
    field("legacy", &A::legacy);
  }
};

struct ContrastiveLossGradient {
  using Arguments = ContrastiveLossGradientArguments;
  static constexpr const char* name = "contrastiveLossGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

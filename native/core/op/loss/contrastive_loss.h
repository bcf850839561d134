// contrastive loss: half the batch's mean of d^2 for pairs of one kind, of max(margin - d, 0)^2 for others,
// where d is the distance of a pair's two vectors.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct ContrastiveLossArguments {
  Tensor a, b;     // (N, C, ...)
  Tensor similar;  // N elements: pairs of one kind where the whole part is not 0
  Tensor dst;      // one element
  float margin = 1;
  bool legacy = false;  // max(margin - d^2, 0) for the others

  template <class F>
  static void fields(F& field) {
    using A = ContrastiveLossArguments;
    field("a", &A::a);
    field("b", &A::b);
    field("similar", &A::similar);
    field("dst", &A::dst);
    field("margin", &A::margin);
    field("legacy", &A::legacy);
  }
};

struct ContrastiveLoss {
  using Arguments = ContrastiveLossArguments;
  static constexpr const char* name = "contrastiveLoss";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

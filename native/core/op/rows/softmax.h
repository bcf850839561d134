// softmax: dst = e^(src - max) / sum(e^(src - max)) along one axis. In place is allowed.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct SoftmaxArguments {
  Tensor src;
  Tensor dst;  // the same shape
  int64_t axis = 1;

  template <class F>
  static void fields(F& field) {
    using A = SoftmaxArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("axis", &A::axis).at_least(0);
  }
};

struct Softmax {
  using Arguments = SoftmaxArguments;
  static constexpr const char* name = "softmax";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// prelu: dst = src > 0 ? src : slope * src, one slope per channel or one for all.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct PreluArguments {
  Tensor src;    // (N, C, ...)
  Tensor dst;    // the same shape; may be src
  Tensor slope;  // C elements, or one

  template <class F>
  static void fields(F& field) {
    using A = PreluArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("slope", &A::slope);
  }
};

struct Prelu {
  using Arguments = PreluArguments;
  static constexpr const char* name = "prelu";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

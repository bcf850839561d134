// prelu: dst = src > 0 ? src : slope * src, one slope per channel or one for all.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct PreluArguments {
  Tensor src;    // (N, C, ...)
  Tensor dst;    // the same shape; may be src
  Tensor slope;  // C elements, or one
};

struct Prelu {
  using Arguments = PreluArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

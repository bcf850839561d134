// softmax: dst = e^(src - max) / sum(e^(src - max)) along one axis. In place is allowed.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct SoftmaxArguments {
  Tensor src;
  Tensor dst;  // the same shape
  int64_t axis = 1;
};

struct Softmax {
  using Arguments = SoftmaxArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// mvn: dst = src - mean over each row, then divided by (standard deviation + eps).
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct MvnArguments {
  Tensor src;
  Tensor dst;        // the same shape; may be src
  int64_t rows = 1;  // equal parts of src, one after the other
  bool normalize_variance = true;
  float eps = 1e-9f;
};

struct Mvn {
  using Arguments = MvnArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

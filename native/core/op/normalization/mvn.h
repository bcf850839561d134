// mvn: dst = src - mean over each row, then divided by (standard deviation + eps).
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct MvnArguments {
  Tensor src;
  Tensor dst;        // the same shape; may be src
  int64_t rows = 1;  // equal parts of src, one after the other
  bool normalize_variance = true;
  float eps = 1e-9f;

  template <class F>
  static void fields(F& field) {
    using A = MvnArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("rows", &A::rows).at_least(1);
    field("normalizeVariance", &A::normalize_variance);
    field("eps", &A::eps);
  }
};

struct Mvn {
  using Arguments = MvnArguments;
  static constexpr const char* name = "mvn";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

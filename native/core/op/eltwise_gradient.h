// eltwise gradient: what each of eltwise's sources adds to a loss, from the gradient of its output. A
// product's is that of the other sources' product: right where a source is 0, too.
#pragma once

#include "eltwise.h"

namespace ristretto {

struct EltwiseGradientArguments {
  // sum: not read, may be left out. maximum: the gradient goes to the greatest; of equals, to the second of
  // the first two, else to the first of those left.
  std::vector<Tensor> srcs;
  Tensor dst_diff;
  std::vector<Tensor> src_diffs;  // those wanted; one may be dst_diff
  std::vector<int64_t> indices;   // of which source each of src_diffs is
  EltwiseOperation operation = EltwiseOperation::sum;
  std::vector<float> coefficients;  // sum: one per source; none: all 1
};

struct EltwiseGradient {
  using Arguments = EltwiseGradientArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// eltwise gradient: what each of eltwise's sources adds to a loss, from the gradient of its output. A
// product's is that of the other sources' product: right where a source is 0, too.
#pragma once

#include "../../op_fields.h"
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

  template <class F>
  static void fields(F& field) {
    using A = EltwiseGradientArguments;
    field("srcs", &A::srcs).doc("Not read by a sum.");
    field("dstDiff", &A::dst_diff);
    field("srcDiffs", &A::src_diffs).doc("Those wanted; one may be dstDiff.");
    field("indices", &A::indices).doc("Of which source each of srcDiffs is.");
    field("operation", &A::operation);
    field("coefficients", &A::coefficients);
  }
};

struct EltwiseGradient {
  using Arguments = EltwiseGradientArguments;
  static constexpr const char* name = "eltwiseGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

#include "reduce_gradient.h"

#include <algorithm>

#include "../check_tensor.h"

namespace ristretto {

void ReduceGradient::check(const Arguments& r) {
  require_contiguous(r.src, "src");
  require_contiguous(r.dst_diff, "dstDiff");
  require_contiguous(r.src_diff, "srcDiff");
  require_same_shape(r.src, "src", r.src_diff, "srcDiff");
  const int64_t rows = r.dst_diff.count();
  require(r.src.count() == 0 || (rows > 0 && r.src.count() % rows == 0), "src ", r.src.shape_text(),
          " is not ", rows, " equal rows");
}

void ReduceGradient::run(Context& context, const Arguments& r) {
  if (r.src.count() == 0) return;
  const int64_t length = r.src.count() / r.dst_diff.count();
  const float* src = r.src.f32();
  float* src_diff = r.src_diff.f32();
  context.pool.for_range(r.src.count(), 1 << 14, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const float slope = r.coefficient * r.dst_diff.f32()[i / length];
      switch (r.operation) {
        case ReduceOperation::sum:
          src_diff[i] = slope;
          break;
        case ReduceOperation::absolute_sum:
          src_diff[i] = src[i] > 0 ? slope : src[i] < 0 ? -slope : 0.0f;
          break;
        case ReduceOperation::square_sum:
          src_diff[i] = 2 * slope * src[i];
          break;
      }
    }
  });
}

}  // namespace ristretto

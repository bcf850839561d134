#include "mvn_gradient.h"

#include <cmath>

#include "../check_tensor.h"
#include "moments.h"

namespace ristretto {

void MvnGradient::check(const Arguments& m) {
  require_contiguous(m.dst_diff, "dstDiff");
  require_contiguous(m.src_diff, "srcDiff");
  require_same_shape(m.src_diff, "srcDiff", m.dst_diff, "dstDiff");
  require(m.rows >= 1 && m.src_diff.count() % m.rows == 0, m.rows, " rows do not divide srcDiff ",
          m.src_diff.shape_text());
  if (!m.normalize_variance) return;
  require_contiguous(m.src, "src");
  require_same_shape(m.src, "src", m.src_diff, "srcDiff");
}

void MvnGradient::run(Context& context, const Arguments& m) {
  const int64_t length = m.src_diff.count() / m.rows;
  if (length == 0) return;
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(m.rows, kGrain / length + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* dst_diff = m.dst_diff.f32() + row * length;
      float* src_diff = m.src_diff.f32() + row * length;
      double sum = 0;
      for (int64_t i = 0; i < length; ++i) sum += dst_diff[i];
      const float mean_diff = float(sum / double(length));
      if (!m.normalize_variance) {
        for (int64_t i = 0; i < length; ++i) src_diff[i] = dst_diff[i] - mean_diff;
        continue;
      }
      const float* src = m.src.f32() + row * length;
      const Moments moments = moments_of(1, length, [&](int64_t) { return src; });
      const float mean = float(moments.mean), divisor = std::sqrt(float(moments.variance)) + m.eps;
      double product = 0;
      for (int64_t i = 0; i < length; ++i) product += double(dst_diff[i]) * double(src[i] - mean);
      const float slope = float(product / double(length) / divisor);
      for (int64_t i = 0; i < length; ++i)
        src_diff[i] = (dst_diff[i] - mean_diff - (src[i] - mean) / divisor * slope) / divisor;
    }
  });
}

}  // namespace ristretto

#include "mvn.h"

#include <cmath>

#include "../check_tensor.h"
#include "moments.h"

namespace ristretto {

void Mvn::check(const Arguments& m) {
  require_contiguous(m.src, "src");
  require_contiguous(m.dst, "dst");
  require_same_shape(m.src, "src", m.dst, "dst");
  require(m.rows >= 1 && m.src.count() % m.rows == 0, m.rows, " rows do not divide src ", m.src.shape_text());
}

void Mvn::run(Context& context, const Arguments& m) {
  const int64_t length = m.src.count() / m.rows;
  if (length == 0) return;
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(m.rows, kGrain / length + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = m.src.f32() + row * length;
      float* to = m.dst.f32() + row * length;
      const Moments moments = moments_of(1, length, [&](int64_t) { return from; });
      const float mean = float(moments.mean);
      const float divisor = m.normalize_variance ? std::sqrt(float(moments.variance)) + m.eps : 1.0f;
      for (int64_t i = 0; i < length; ++i) to[i] = (from[i] - mean) / divisor;
    }
  });
}

}  // namespace ristretto

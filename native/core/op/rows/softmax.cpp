#include "softmax.h"

#include <algorithm>
#include <cmath>

#include "../check_tensor.h"

namespace ristretto {

void Softmax::check(const Arguments& a) {
  require_contiguous(a.src, "src");
  require_contiguous(a.dst, "dst");
  require_same_shape(a.src, "src", a.dst, "dst");
  require(a.axis >= 0 && a.axis < a.src.rank, "src ", a.src.shape_text(), " has no axis ", a.axis);
}

void Softmax::run(Context& context, const Arguments& a) {
  const int64_t outer = a.src.count(0, int(a.axis)), classes = a.src.dim[a.axis],
                inner = a.src.count(int(a.axis) + 1);
  if (a.src.count() == 0) return;
  // Neighbours along the inner axes are worked on together: the loops over them run over contiguous memory.
  constexpr int64_t kBlock = 64;
  const int64_t blocks = (inner + kBlock - 1) / kBlock;
  context.pool.for_range(
      outer * blocks, std::max<int64_t>(1, 4096 / classes), [&](int64_t begin, int64_t end, int) {
        float highest[kBlock], sum[kBlock];
        for (int64_t task = begin; task < end; ++task) {
          const int64_t first = task % blocks * kBlock, width = std::min(kBlock, inner - first);
          const float* src = a.src.f32() + task / blocks * classes * inner + first;
          float* dst = a.dst.f32() + task / blocks * classes * inner + first;
          std::copy(src, src + width, highest);
          std::fill(sum, sum + width, 0.0f);
          for (int64_t c = 1; c < classes; ++c)
            for (int64_t i = 0; i < width; ++i) highest[i] = std::max(highest[i], src[c * inner + i]);
          for (int64_t c = 0; c < classes; ++c)
            for (int64_t i = 0; i < width; ++i)
              sum[i] += dst[c * inner + i] = std::exp(src[c * inner + i] - highest[i]);
          for (int64_t c = 0; c < classes; ++c)
            for (int64_t i = 0; i < width; ++i) dst[c * inner + i] /= sum[i];
        }
      });
}

}  // namespace ristretto

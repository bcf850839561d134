#include "softmax_gradient.h"

#include <algorithm>

#include "../check_tensor.h"

namespace ristretto {

void SoftmaxGradient::check(const Arguments& a) {
  require_contiguous(a.dst, "dst");
  require_contiguous(a.dst_diff, "dstDiff");
  require_contiguous(a.src_diff, "srcDiff");
  require_same_shape(a.dst, "dst", a.dst_diff, "dstDiff");
  require_same_shape(a.dst, "dst", a.src_diff, "srcDiff");
  require(a.axis >= 0 && a.axis < a.dst.rank, "dst ", a.dst.shape_text(), " has no axis ", a.axis);
}

void SoftmaxGradient::run(Context& context, const Arguments& a) {
  if (a.dst.count() == 0) return;
  const int64_t outer = a.dst.count(0, int(a.axis)), classes = a.dst.dim[a.axis],
                inner = a.dst.count(int(a.axis) + 1);
  context.pool.for_range(outer * inner, std::max<int64_t>(1, 4096 / classes),
                         [&](int64_t begin, int64_t end, int) {
                           for (int64_t task = begin; task < end; ++task) {
                             const int64_t first = task / inner * classes * inner + task % inner;
                             const float *dst = a.dst.f32() + first, *dst_diff = a.dst_diff.f32() + first;
                             float* src_diff = a.src_diff.f32() + first;
                             double dot = 0;
                             for (int64_t c = 0; c < classes; ++c)
                               dot += double(dst[c * inner]) * dst_diff[c * inner];
                             for (int64_t c = 0; c < classes; ++c)
                               src_diff[c * inner] = float(dst_diff[c * inner] - dot) * dst[c * inner];
                           }
                         });
}

}  // namespace ristretto

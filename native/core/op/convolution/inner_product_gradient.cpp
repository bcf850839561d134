#include "inner_product_gradient.h"

#include <algorithm>

#include "../check_tensor.h"
#include "gemm.h"

namespace ristretto {

void InnerProductGradient::check(const Arguments& a) {
  InnerProductArguments forward;
  forward.src = a.src, forward.weights = a.weights, forward.dst = a.dst_diff;
  forward.transpose = a.transpose;
  InnerProduct::check(forward);
  if (a.src_diff) {
    require_float(a.src_diff, "src_diff");
    require_same_shape(a.src_diff, "src_diff", a.src, "src");
  }
  if (a.weights_diff) {
    require_contiguous(a.weights_diff, "weights_diff");
    require_same_shape(a.weights_diff, "weights_diff", a.weights, "weights");
  }
  if (a.bias_diff) {
    require_contiguous(a.bias_diff, "bias_diff");
    require(a.bias_diff.count() == a.dst_diff.image_count(), "bias_diff ", a.bias_diff.shape_text(), " for ",
            a.dst_diff.image_count(), " outputs");
  }
}

void InnerProductGradient::run(Context& context, const Arguments& a) {
  const int64_t M = a.src.images(), K = a.src.image_count(), N = a.dst_diff.image_count();
  if (M == 0 || N == 0) return;
  const auto row_stride = [](const Tensor& t) { return t.images() > 1 ? t.image_stride : t.image_count(); };
  if (a.weights_diff) {
    const Tensor &rows = a.transpose ? a.src : a.dst_diff, &columns = a.transpose ? a.dst_diff : a.src;
    GemmArguments g;
    g.transpose_a = true;
    g.m = a.transpose ? K : N, g.n = a.transpose ? N : K, g.k = M;
    g.beta = 1;
    g.a = rows.f32(), g.lda = row_stride(rows);
    g.b = columns.f32(), g.ldb = row_stride(columns);
    g.c = a.weights_diff.f32(), g.ldc = g.n;
    Gemm::run(context, g);
  }
  if (a.bias_diff)
    context.pool.for_range(N, std::max<int64_t>(1, 16384 / M), [&](int64_t begin, int64_t end, int) {
      for (int64_t m = 0; m < M; ++m) {
        const float* diff = a.dst_diff.image(m);
        float* sums = a.bias_diff.f32();
        for (int64_t n = begin; n < end; ++n) sums[n] += diff[n];
      }
    });
  if (a.src_diff) {
    GemmArguments g;
    g.transpose_b = a.transpose;
    g.m = M, g.n = K, g.k = N;
    g.a = a.dst_diff.f32(), g.lda = row_stride(a.dst_diff);
    g.b = a.weights.f32(), g.ldb = a.transpose ? N : K;
    g.c = a.src_diff.f32(), g.ldc = row_stride(a.src_diff);
    Gemm::run(context, g);
  }
}

}  // namespace ristretto

#include "eltwise_gradient.h"

#include <algorithm>

#include "../check_tensor.h"

namespace ristretto {

void EltwiseGradient::check(const Arguments& e) {
  require_float(e.dst_diff, "dst_diff");
  const bool sum = e.operation == EltwiseOperation::sum;
  require(sum || !e.srcs.empty(), "eltwise gradient: no sources");
  for (const Tensor& src : e.srcs) {
    require_float(src, "src");
    require_same_shape(src, "src", e.dst_diff, "dst_diff");
  }
  for (const Tensor& diff : e.src_diffs) {
    require_float(diff, "src_diff");
    require_same_shape(diff, "src_diff", e.dst_diff, "dst_diff");
  }
  require(e.indices.size() == e.src_diffs.size(), "eltwise gradient: ", e.indices.size(), " indices for ",
          e.src_diffs.size(), " src_diffs");
  for (int64_t index : e.indices) {
    require(index >= 0 && (sum || index < int64_t(e.srcs.size())), "eltwise gradient: no source ", index);
    require(e.coefficients.empty() || index < int64_t(e.coefficients.size()),
            "eltwise gradient: no coefficient ", index);
  }
  require(e.coefficients.empty() || sum, "eltwise gradient: only a sum has coefficients");
}

namespace {

// Elements whose dst_diff is kept in a buffer while the sources' are written, as one of these may lie in its
// place.
constexpr int64_t kBlock = 1024;

void product_gradient(const EltwiseGradientArguments& e, size_t index, int64_t image, int64_t offset,
                      int64_t count, const float* diff, float* result) {
  float others[kBlock];
  std::fill(others, others + count, 1.0f);
  for (size_t s = 0; s < e.srcs.size(); ++s) {
    if (s == index) continue;
    const float* src = e.srcs[s].image(image) + offset;
    for (int64_t i = 0; i < count; ++i) others[i] *= src[i];
  }
  for (int64_t i = 0; i < count; ++i) result[i] = others[i] * diff[i];
}

// Which source is the greatest.
void find_greatest(const EltwiseGradientArguments& e, int64_t image, int64_t offset, int64_t count,
                   int32_t* greatest) {
  float best[kBlock];
  const float* first = e.srcs[0].image(image) + offset;
  std::copy(first, first + count, best);
  std::fill(greatest, greatest + count, 0);
  for (size_t s = 1; s < e.srcs.size(); ++s) {
    const float* src = e.srcs[s].image(image) + offset;
    for (int64_t i = 0; i < count; ++i) {
      if (!(s == 1 ? !(best[i] > src[i]) : src[i] > best[i])) continue;
      best[i] = src[i];
      greatest[i] = int32_t(s);
    }
  }
}

void run_block(const EltwiseGradientArguments& e, int64_t image, int64_t offset, int64_t count) {
  float diff[kBlock];
  int32_t greatest[kBlock];
  const float* dst_diff = e.dst_diff.image(image) + offset;
  std::copy(dst_diff, dst_diff + count, diff);
  if (e.operation == EltwiseOperation::maximum) find_greatest(e, image, offset, count, greatest);
  for (size_t d = 0; d < e.src_diffs.size(); ++d) {
    const size_t index = size_t(e.indices[d]);
    float* result = e.src_diffs[d].image(image) + offset;
    switch (e.operation) {
      case EltwiseOperation::sum: {
        const float coefficient = e.coefficients.empty() ? 1.0f : e.coefficients[index];
        for (int64_t i = 0; i < count; ++i) result[i] = coefficient * diff[i];
        break;
      }
      case EltwiseOperation::product:
        product_gradient(e, index, image, offset, count, diff, result);
        break;
      case EltwiseOperation::maximum:
        for (int64_t i = 0; i < count; ++i) result[i] = greatest[i] == int32_t(index) ? diff[i] : 0.0f;
        break;
    }
  }
}

}  // namespace

void EltwiseGradient::run(Context& context, const Arguments& e) {
  const int64_t image_count = e.dst_diff.image_count();
  context.pool.for_range(e.dst_diff.count(), 1 << 13, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t image = begin / image_count;
      const int64_t stop = std::min({end, (image + 1) * image_count, begin + kBlock});
      run_block(e, image, begin % image_count, stop - begin);
      begin = stop;
    }
  });
}

}  // namespace ristretto

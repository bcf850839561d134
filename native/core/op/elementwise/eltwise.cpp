#include "eltwise.h"

#include <algorithm>

#include "../check_tensor.h"

namespace ristretto {

void Eltwise::check(const Arguments& e) {
  require(!e.srcs.empty(), "eltwise: no sources");
  require_float(e.dst, "dst");
  for (const Tensor& src : e.srcs) {
    require_float(src, "src");
    require_same_shape(src, "src", e.dst, "dst");
  }
  require(e.coefficients.empty() ||
              (e.operation == EltwiseOperation::sum && e.coefficients.size() == e.srcs.size()),
          "eltwise: ", e.coefficients.size(), " coefficients for ", e.srcs.size(), " sources");
}

namespace {

// Elements that are combined in a buffer before dst is written, so that dst may be any of the sources.
constexpr int64_t kBlock = 1024;

void combine(const EltwiseArguments& e, int64_t image, int64_t offset, int64_t count) {
  float block[kBlock];
  for (size_t s = 0; s < e.srcs.size(); ++s) {
    const float* src = e.srcs[s].image(image) + offset;
    const float coefficient = e.coefficients.empty() ? 1.0f : e.coefficients[s];
    if (s == 0)
      for (int64_t i = 0; i < count; ++i) block[i] = coefficient * src[i];
    else if (e.operation == EltwiseOperation::sum)
      for (int64_t i = 0; i < count; ++i) block[i] += coefficient * src[i];
    else if (e.operation == EltwiseOperation::product)
      for (int64_t i = 0; i < count; ++i) block[i] *= src[i];
    else
      for (int64_t i = 0; i < count; ++i) block[i] = block[i] > src[i] ? block[i] : src[i];
  }
  std::copy(block, block + count, e.dst.image(image) + offset);
}

}  // namespace

void Eltwise::run(Context& context, const Arguments& e) {
  const int64_t total = e.dst.count(), image_count = e.dst.image_count();
  constexpr int64_t kGrain = 1 << 13;
  context.pool.for_range(total, kGrain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t image = begin / image_count;
      const int64_t stop = std::min({end, (image + 1) * image_count, begin + kBlock});
      combine(e, image, begin % image_count, stop - begin);
      begin = stop;
    }
  });
}

}  // namespace ristretto

#include "eltwise_gradient.h"

#include <algorithm>

#include "check_tensor.h"

namespace ristretto {
namespace {

// The product of all the others, not the product divided by this one: right where this one is 0, too.
float product_of_others(const std::vector<Tensor>& srcs, int64_t index, int64_t i) {
  float product = 1;
  for (size_t s = 0; s < srcs.size(); ++s)
    if (int64_t(s) != index) product *= srcs[s].f32()[i];
  return product;
}

// Which source the maximum took: as in the forward op, the later one where neither is greater.
int64_t largest(const std::vector<Tensor>& srcs, int64_t i) {
  int64_t best = 0;
  for (size_t s = 1; s < srcs.size(); ++s)
    if (!(srcs[best].f32()[i] > srcs[s].f32()[i])) best = int64_t(s);
  return best;
}

}  // namespace

void EltwiseGradient::check(const Arguments& e) {
  require(!e.srcs.empty(), "srcs is empty");
  require(e.index >= 0 && e.index < int64_t(e.srcs.size()), "there is no source ", e.index);
  require(e.operation != EltwiseOperation::sum, "a sum's gradient needs no sources");
  require_contiguous(e.dst_diff, "dstDiff");
  require_contiguous(e.src_diff, "srcDiff");
  require_same_shape(e.dst_diff, "dstDiff", e.src_diff, "srcDiff");
  for (const Tensor& src : e.srcs) {
    require_contiguous(src, "srcs");
    require_same_shape(src, "srcs", e.dst_diff, "dstDiff");
  }
}

void EltwiseGradient::run(Context& context, const Arguments& e) {
  const float* dst_diff = e.dst_diff.f32();
  float* src_diff = e.src_diff.f32();
  const bool product = e.operation == EltwiseOperation::product;
  context.pool.for_range(e.dst_diff.count(), 1 << 13, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i)
      src_diff[i] = product ? dst_diff[i] * product_of_others(e.srcs, e.index, i)
                            : (largest(e.srcs, i) == e.index ? dst_diff[i] : 0.0f);
  });
}

}  // namespace ristretto

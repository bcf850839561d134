// Gradient of pooling. A maximum's goes to the element that was it, the first of equals; a mean's to its
// window in equal shares; a sampled window's to the element that the same random words draw; a weighted one's
// to each element x as (2 * x - mean) / sum(x), the derivative of mean = sum(x^2) / sum(x).
//
// The forward pass leaves nothing behind: maxima are found again, a vector of windows at once. Each plane is
// one worker's, so sums have one order.
#pragma once

#include "../../op_fields.h"
#include "pooling.h"

namespace ristretto {

struct PoolingGradientArguments {
  Tensor src;       // (N, C, H, W): the pooled values; not read for means, where it may be empty
  Tensor dst_diff;  // (N, C, P, Q)
  Tensor src_diff;  // (N, C, H, W); all three may be channel slices
  PoolingKind kind = PoolingKind::max;
  RandomStream random;  // as in the forward pass
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;
  bool accumulate = false;  // adds to src_diff instead of overwriting it
  // Maxima alone: the pooled values are what a ReLU made of others in their place, and its gradient is taken,
  // too: what is not above 0 gets nothing.
  bool rectified = false;

  template <class F>
  static void fields(F& field) {
    using A = PoolingGradientArguments;
    field("src", &A::src).optional().doc("Not read for means.");
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    field("accumulate", &A::accumulate).doc("Adds to srcDiff.");
    field("rectified", &A::rectified)
        .doc("Maxima alone: `src` is a ReLU's output in its place, and what is not above 0 gets nothing.");
    pooling_fields<A>(field);
  }
};

struct PoolingGradient {
  using Arguments = PoolingGradientArguments;
  static constexpr const char* name = "poolingGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void pooling_gradient_ref(Context& context, const PoolingGradientArguments& arguments);

}  // namespace ristretto

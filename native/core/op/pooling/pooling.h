// pooling: the maximum or the mean of each window of a plane.
//
// A window starts at p * stride - pad. The maximum runs over its part inside the image; -FLT_MAX where
// nothing there exceeds that (as in Caffe; a NaN never wins). The mean divides the sum of that part by the
// window's area clipped to the padded image. A window without any part of the image gives -FLT_MAX and 0.
#pragma once

#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../random.h"
#include "../../tensor_view.h"
#include "../shared_fields.h"

namespace ristretto {

// sampled: one element of the window, drawn with a probability in proportion to its value; 0 where the sum is
// not positive. weighted: sum(x^2) / sum(x), what that draws on average: stochastic pooling outside of
// training.
enum class PoolingKind : uint8_t { max, average, weighted, sampled };

template <>
inline constexpr auto names_of<PoolingKind> = enum_names<PoolingKind>("PoolingKind",
                                                                      {{"max", PoolingKind::max},
                                                                       {"average", PoolingKind::average},
                                                                       {"weighted", PoolingKind::weighted},
                                                                       {"sampled", PoolingKind::sampled}});

// The windows, as pooling and its gradient take them.
template <class A, class F>
void pooling_fields(F& field) {
  field("kind", &A::kind);
  field("random", &A::random).doc("Of sampled windows; a gradient's as in the forward pass.");
  kernel_size_fields<A>(field);
  window_fields<A>(field);
}

struct PoolingArguments {
  Tensor src;   // (N, C, H, W), may be a channel slice
  Tensor dst;   // (N, C, P, Q), may be a channel slice
  Tensor mask;  // or empty; as dst: the maximum's h * W + w as a float (the first of equals), -1 for none
  PoolingKind kind = PoolingKind::max;
  RandomStream random;  // of a sampled window; the element is the output's
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;

  template <class F>
  static void fields(F& field) {
    using A = PoolingArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("mask", &A::mask).optional().doc("The place of each maximum as h * W + w.");
    pooling_fields<A>(field);
  }
};

struct Pooling {
  using Arguments = PoolingArguments;
  static constexpr const char* name = "pooling";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void pooling_ref(Context& context, const PoolingArguments& arguments);

}  // namespace ristretto

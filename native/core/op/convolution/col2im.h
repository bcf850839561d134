// col2im: adds the windows of a convolution back into the images they were cut from, the transpose of im2col.
//
//   dst[n,c,y,x] = sum over r, s, p, q with p * stride - pad + r * dilation = y (x alike) of
//                  src[n,(c*R+r)*S+s,p,q]
#pragma once

#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../tensor_view.h"
#include "../shared_fields.h"

namespace ristretto {

// How windows of R x S taps lie on a plane of H x W, P x Q of them.
struct WindowGrid {
  int64_t H, W, P, Q, R, S, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
};

// Adds one channel's windows, R * S rows of P * Q, where their taps fall on its plane.
void add_windows(const WindowGrid& grid, const float* columns, float* plane);

struct Col2imArguments {
  Tensor src;  // (N, C * R * S, P, Q)
  Tensor dst;  // (N, C, H, W), overwritten
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1;

  template <class F>
  static void fields(F& field) {
    using A = Col2imArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    kernel_size_fields<A>(field);
    dilated_window_fields<A>(field);
  }
};

struct Col2im {
  using Arguments = Col2imArguments;
  static constexpr const char* name = "col2im";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

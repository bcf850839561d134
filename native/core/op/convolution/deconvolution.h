// deconvolution: the transpose of convolution, grouped, dilated, with bias, trims and ReLU fused in.
//
//   dst[n,k,y,x] = relu(trim_dst(bias[k] + sum over c, r, s, p, q with p * stride - pad + r * dilation = y
//                  (x alike) of trim_src(src[n,c,p,q]) * w[c,k,r,s]))
#pragma once

#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../format/trim_format.h"
#include "../../tensor_view.h"
#include "../shared_fields.h"

namespace ristretto {

struct DeconvolutionArguments {
  Tensor src;      // (N, C, P, Q), may be a channel slice
  Tensor weights;  // (C, K / group, R, S)
  Tensor bias;     // (K), or empty
  Tensor dst;      // (N, K, H, W), may be a channel slice
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, group = 1;
  bool relu = false;
  TrimFormat src_trim, dst_trim;
  RandomStream src_random, dst_random;  // of stochastic trims; first_element is that of the first image

  template <class F>
  static void fields(F& field) {
    using A = DeconvolutionArguments;
    field("src", &A::src);
    field("weights", &A::weights);
    field("bias", &A::bias).optional();
    field("dst", &A::dst);
    field("relu", &A::relu);
    trim_fields<A>(field);
    convolution_window_fields<A>(field);
  }
};

struct Deconvolution {
  using Arguments = DeconvolutionArguments;
  static constexpr const char* name = "deconvolution";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void deconvolution_ref(Context& context, const DeconvolutionArguments& arguments);

}  // namespace ristretto

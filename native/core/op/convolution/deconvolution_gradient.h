// deconvolutionGradient: what a deconvolution's inputs, weights and biases add to a loss, from the gradient
// of its output. A deconvolution is the transpose of a convolution: the input's gradient is that convolution,
// and the weights' gradient is the convolution's with input and output exchanged.
//
//   src_diff[n,c,p,q]      = sum over k, r, s of dst_diff[n,k,p*stride-pad+r*dilation,...] * w[c,k,r,s]
//   weights_diff[c,k,r,s] += sum over n, p, q of src[n,c,p,q] * dst_diff[n,k,p*stride-pad+r*dilation,...]
//   bias_diff[k]          += sum over n, y, x of dst_diff[n,k,y,x]
#pragma once

#include "../shared_fields.h"
#include "deconvolution.h"

namespace ristretto {

struct DeconvolutionGradientArguments {
  Tensor src;           // (N, C, P, Q), may be a channel slice, as dst_diff and src_diff may
  Tensor weights;       // (C, K / group, R, S)
  Tensor dst_diff;      // (N, K, H, W)
  Tensor src_diff;      // of src's shape, overwritten; or empty
  Tensor weights_diff;  // of the weights' shape, added to; or empty
  Tensor bias_diff;     // (K), added to; or empty
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, group = 1;
  bool winograd = false;  // allow algorithms whose intermediate values round more than a plain sum's

  template <class F>
  static void fields(F& field) {
    using A = DeconvolutionGradientArguments;
    weighted_gradient_fields<A>(field);
    field("winograd", &A::winograd);
    convolution_window_fields<A>(field);
  }
};

struct DeconvolutionGradient {
  using Arguments = DeconvolutionGradientArguments;
  static constexpr const char* name = "deconvolutionGradient";
  static constexpr const char* doc = "Each of srcDiff, weightsDiff and biasDiff may be left out.";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

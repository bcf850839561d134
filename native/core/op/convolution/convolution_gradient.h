// convolutionGradient: what a convolution's inputs, weights and biases add to a loss, from the gradient of
// its output.
//
//   src_diff[n,c,y,x]    = sum over k, r, s, p, q with p * stride - pad + r * dilation = y (x alike) of
//                          dst_diff[n,k,p,q] * w[k,c,r,s]
//   weights_diff[k,c,r,s] += sum over n, p, q of dst_diff[n,k,p,q] * src[n,c,p*stride-pad+r*dilation,...]
//   bias_diff[k]          += sum over n, p, q of dst_diff[n,k,p,q]
//
// Each of the three may be left out. Sums are float32 in an order that depends on the shapes and the kernel,
// never on the number of threads.
#pragma once

#include "../../cpu/float_kernels.h"
#include "../shared_fields.h"
#include "convolution.h"

namespace ristretto {

struct ConvolutionGradientArguments {
  Tensor src;           // (N, C, H, W), may be a channel slice, as dst_diff and src_diff may
  Tensor weights;       // (K, C / group, R, S)
  Tensor dst_diff;      // (N, K, P, Q)
  Tensor src_diff;      // of src's shape, overwritten; or empty
  Tensor weights_diff;  // of the weights' shape, added to; or empty
  Tensor bias_diff;     // (K), added to; or empty
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, group = 1;
  bool winograd = false;  // allow algorithms whose intermediate values round more than a plain sum's

  template <class F>
  static void fields(F& field) {
    using A = ConvolutionGradientArguments;
    weighted_gradient_fields<A>(field);
    field("winograd", &A::winograd);
    convolution_window_fields<A>(field);
  }
};

struct ConvolutionGradient {
  using Arguments = ConvolutionGradientArguments;
  static constexpr const char* name = "convolutionGradient";
  static constexpr const char* doc = "Each of srcDiff, weightsDiff and biasDiff may be left out.";
  // Throws Error when shapes and parameters do not fit together.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

// The definition: one loop per index, sums in double.
void convolution_gradient_ref(Context& context, const ConvolutionGradientArguments& arguments);

// The parts, for ops that are made of them. Each does nothing where its result is not asked for.
void convolution_data_gradient(Context& context, const ConvolutionGradientArguments& arguments);
// On the kernels of one instruction set.
bool convolution_weights_gradient_supports(const ConvolutionGradientArguments& arguments);
void convolution_weights_gradient(Context& context, const ConvolutionGradientArguments& arguments,
                                  const FloatKernels& kernels);
// Of 3x3 weights by Winograd's F(4x4, 3x3): whether the arguments allow it, fit it and gain by it.
bool convolution_weights_winograd_supports(const ConvolutionGradientArguments& arguments);
void convolution_weights_winograd(Context& context, const ConvolutionGradientArguments& arguments,
                                  const FloatKernels& kernels);

}  // namespace ristretto

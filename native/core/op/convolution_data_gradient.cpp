// The gradient of a convolution's input by the ops of the forward pass: with stride 1 it is a convolution of
// the output's gradient with the kernels turned around, else a deconvolution with the kernels as they are.
#include <algorithm>

#include "convolution_gradient.h"
#include "deconvolution.h"

namespace ristretto {

namespace {

// Of a convolution with stride 1: the padding that makes its transpose a convolution; negative where the
// forward pass pads with whole kernels.
int64_t turned_pad(int64_t kernel, int64_t pad, int64_t dilation) { return dilation * (kernel - 1) - pad; }

bool is_convolution(const ConvolutionGradientArguments& a) {
  return a.stride_h == 1 && a.stride_w == 1 && turned_pad(a.weights.dim[2], a.pad_h, a.dilation_h) >= 0 &&
         turned_pad(a.weights.dim[3], a.pad_w, a.dilation_w) >= 0;
}

// (K, C / group, R, S) as (C, K / group, R, S), each kernel turned around.
void turn_weights(Context& context, const ConvolutionGradientArguments& a, float* out) {
  const int64_t group_c = a.weights.dim[1], group_k = a.weights.dim[0] / a.group;
  const int64_t taps = a.weights.dim[2] * a.weights.dim[3];
  context.pool.for_range(a.group * group_c, std::max<int64_t>(1, 16384 / (group_k * taps)),
                         [&](int64_t begin, int64_t end, int) {
                           for (int64_t c = begin; c < end; ++c) {
                             const float* from =
                                 a.weights.f32() + (c / group_c * group_k * group_c + c % group_c) * taps;
                             float* to = out + c * group_k * taps;
                             for (int64_t k = 0; k < group_k; ++k, from += group_c * taps, to += taps)
                               for (int64_t t = 0; t < taps; ++t) to[t] = from[taps - 1 - t];
                           }
                         });
}

}  // namespace

void convolution_data_gradient(Context& context, const ConvolutionGradientArguments& a) {
  if (!a.src_diff || a.src_diff.count() == 0) return;
  if (is_convolution(a)) {
    ConvolutionArguments c;
    float* turned = static_cast<float*>(context.shared_scratch(a.weights.count() * sizeof(float), 2));
    turn_weights(context, a, turned);
    c.src = a.dst_diff;
    c.weights =
        Tensor::of(turned, {a.src.dim[1], a.dst_diff.dim[1] / a.group, a.weights.dim[2], a.weights.dim[3]});
    c.dst = a.src_diff;
    c.pad_h = turned_pad(a.weights.dim[2], a.pad_h, a.dilation_h);
    c.pad_w = turned_pad(a.weights.dim[3], a.pad_w, a.dilation_w);
    c.dilation_h = a.dilation_h, c.dilation_w = a.dilation_w;
    c.group = a.group;
    c.winograd = a.winograd;
    Convolution::run(context, c);
    return;
  }
  // Rows and columns that no window reaches make the output larger than a deconvolution's own check allows.
  DeconvolutionArguments d;
  d.src = a.dst_diff, d.weights = a.weights, d.dst = a.src_diff;
  d.stride_h = a.stride_h, d.stride_w = a.stride_w, d.pad_h = a.pad_h, d.pad_w = a.pad_w;
  d.dilation_h = a.dilation_h, d.dilation_w = a.dilation_w;
  d.group = a.group;
  Deconvolution::run(context, d);
}

}  // namespace ristretto

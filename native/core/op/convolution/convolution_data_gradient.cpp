// The gradient of a convolution's input by the ops of the forward pass: with stride 1 it is a convolution of
// the output's gradient with the kernels turned around, else a deconvolution with the kernels as they are.
#include <algorithm>

#include "convolution_gradient.h"
#include "deconvolution.h"

namespace ristretto {

namespace {

// Of a convolution with stride 1: the padding that makes its transpose a convolution; negative where the
// forward pass pads with whole kernels, whose outputs at the border depend on no input.
int64_t turned_pad(int64_t kernel, int64_t pad, int64_t dilation) { return dilation * (kernel - 1) - pad; }

// The planes of `tensor` without `rows` rows and `columns` columns at every side.
Tensor crop(Context& context, const Tensor& tensor, int64_t rows, int64_t columns, float* out) {
  const int64_t K = tensor.dim[1], Q = tensor.dim[3], height = tensor.dim[2] - 2 * rows,
                width = Q - 2 * columns;
  context.pool.for_range(tensor.dim[0] * K, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const float* from = tensor.image(i / K) + (i % K * tensor.dim[2] + rows) * Q + columns;
      float* to = out + i * height * width;
      for (int64_t p = 0; p < height; ++p) std::copy_n(from + p * Q, width, to + p * width);
    }
  });
  return Tensor::of(out, {tensor.dim[0], K, height, width});
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
  if (a.stride_h == 1 && a.stride_w == 1) {
    const int64_t pad_h = turned_pad(a.weights.dim[2], a.pad_h, a.dilation_h),
                  pad_w = turned_pad(a.weights.dim[3], a.pad_w, a.dilation_w);
    const int64_t rows = std::max<int64_t>(0, -pad_h), columns = std::max<int64_t>(0, -pad_w);
    const Tensor& diff = a.dst_diff;
    const int64_t cropped =
        rows || columns ? diff.dim[0] * diff.dim[1] * (diff.dim[2] - 2 * rows) * (diff.dim[3] - 2 * columns)
                        : 0;
    float* turned =
        static_cast<float*>(context.shared_scratch((a.weights.count() + cropped) * sizeof(float), 2));
    turn_weights(context, a, turned);
    ConvolutionArguments c;
    c.src = cropped ? crop(context, diff, rows, columns, turned + a.weights.count()) : diff;
    c.weights = Tensor::of(turned, {a.src.dim[1], diff.dim[1] / a.group, a.weights.dim[2], a.weights.dim[3]});
    c.dst = a.src_diff;
    c.pad_h = std::max<int64_t>(0, pad_h), c.pad_w = std::max<int64_t>(0, pad_w);
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

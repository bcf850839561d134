#include "convolution_gradient.h"

namespace ristretto {

void ConvolutionGradient::check(const Arguments& a) {
  ConvolutionArguments forward;
  forward.src = a.src, forward.weights = a.weights, forward.dst = a.dst_diff;
  forward.stride_h = a.stride_h, forward.stride_w = a.stride_w, forward.pad_h = a.pad_h;
  forward.pad_w = a.pad_w, forward.dilation_h = a.dilation_h, forward.dilation_w = a.dilation_w;
  forward.group = a.group;
  Convolution::check(forward);
  if (a.src_diff) {
    require(a.src_diff.type == DataType::f32 && a.src_diff.same_shape(a.src), "convolution: input gradient ",
            a.src_diff.shape_text(), " of an input ", a.src.shape_text());
    require(a.src_diff.images() <= 1 || a.src_diff.image_stride >= a.src_diff.image_count(),
            "convolution: image stride ", a.src_diff.image_stride, " is below an image's size ",
            a.src_diff.image_count());
  }
  if (a.weights_diff)
    require(a.weights_diff.type == DataType::f32 && a.weights_diff.same_shape(a.weights) &&
                a.weights_diff.contiguous(),
            "convolution: weights' gradient ", a.weights_diff.shape_text(), " of weights ",
            a.weights.shape_text());
  if (a.bias_diff)
    require(a.bias_diff.type == DataType::f32 && a.bias_diff.count() == a.dst_diff.dim[1] &&
                a.bias_diff.contiguous(),
            "convolution: bias gradient ", a.bias_diff.shape_text(), " for ", a.dst_diff.dim[1],
            " output channels");
}

void convolution_gradient_ref(Context&, const ConvolutionGradientArguments& a) {
  const int64_t N = a.src.dim[0], C = a.src.dim[1], H = a.src.dim[2], W = a.src.dim[3];
  const int64_t K = a.dst_diff.dim[1], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  const int64_t R = a.weights.dim[2], S = a.weights.dim[3], group_c = C / a.group, group_k = K / a.group;
  std::vector<double> src_diff(a.src_diff ? N * C * H * W : 0);
  std::vector<double> weights_diff(a.weights_diff ? a.weights.count() : 0);
  std::vector<double> bias_diff(a.bias_diff ? K : 0);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t p = 0; p < P; ++p)
        for (int64_t q = 0; q < Q; ++q) {
          const double diff = a.dst_diff.image(n)[(k * P + p) * Q + q];
          if (a.bias_diff) bias_diff[k] += diff;
          for (int64_t i = 0; i < group_c; ++i)
            for (int64_t r = 0; r < R; ++r)
              for (int64_t s = 0; s < S; ++s) {
                const int64_t y = p * a.stride_h - a.pad_h + r * a.dilation_h;
                const int64_t x = q * a.stride_w - a.pad_w + s * a.dilation_w;
                if (y < 0 || y >= H || x < 0 || x >= W) continue;
                const int64_t c = k / group_k * group_c + i, weight = ((k * group_c + i) * R + r) * S + s;
                if (a.weights_diff) weights_diff[weight] += diff * a.src.image(n)[(c * H + y) * W + x];
                if (a.src_diff) src_diff[((n * C + c) * H + y) * W + x] += diff * a.weights.f32()[weight];
              }
        }
  if (a.src_diff)
    for (int64_t n = 0; n < N; ++n)
      for (int64_t i = 0; i < C * H * W; ++i) a.src_diff.image(n)[i] = float(src_diff[n * C * H * W + i]);
  for (size_t i = 0; i < weights_diff.size(); ++i) a.weights_diff.f32()[i] += float(weights_diff[i]);
  for (size_t i = 0; i < bias_diff.size(); ++i) a.bias_diff.f32()[i] += float(bias_diff[i]);
}

namespace {

using Supports = bool(const ConvolutionGradientArguments&);
using Run = void(Context&, const ConvolutionGradientArguments&, const FloatKernels&);

template <const FloatKernels* (*Kernels)(), Supports* supports, Run* weights_gradient>
KernelRow<ConvolutionGradientArguments> row(const char* name) {
  return {name,
          [](const ConvolutionGradientArguments& a, const CpuFeatures& features) {
            return Kernels() && Kernels()->available(features) && supports(a);
          },
          [](Context& context, const ConvolutionGradientArguments& a) {
            weights_gradient(context, a, *Kernels());
            convolution_data_gradient(context, a);
          }};
}

template <const FloatKernels* (*Kernels)()>
constexpr auto winograd = row<Kernels, convolution_weights_winograd_supports, convolution_weights_winograd>;
template <const FloatKernels* (*Kernels)()>
constexpr auto direct = row<Kernels, convolution_weights_gradient_supports, convolution_weights_gradient>;

}  // namespace

const std::vector<KernelRow<ConvolutionGradientArguments>>& ConvolutionGradient::rows() {
  static const std::vector<KernelRow<ConvolutionGradientArguments>> table = {
      winograd<float_kernels_avx512>("avx512 winograd"),
      direct<float_kernels_avx512>("avx512"),
      winograd<float_kernels_avx2>("avx2 winograd"),
      direct<float_kernels_avx2>("avx2"),
      winograd<float_kernels_portable>("portable winograd"),
      direct<float_kernels_portable>("portable"),
      {"ref", [](const ConvolutionGradientArguments&, const CpuFeatures&) { return true; },
       convolution_gradient_ref},
  };
  return table;
}

void ConvolutionGradient::run(Context& context, const Arguments& arguments) {
  check(arguments);
  select_kernel(rows(), arguments, context.features).run(context, arguments);
}

}  // namespace ristretto

#include "convolution.h"

#include "../trim/trim.h"
#include "convolution_depthwise.h"
#include "convolution_panels.h"
#include "convolution_winograd.h"

namespace ristretto {

namespace {

// Far above any net's, low enough that products of them with a tensor's sizes stay in 64 bits.
constexpr int64_t kMostParameter = int64_t{1} << 20;

void check_tensor(const Tensor& tensor, const char* name, int rank) {
  require(tensor.data != nullptr, "convolution: no ", name);
  require(tensor.type == DataType::f32, "convolution: ", name, " is not float32");
  require(tensor.rank == rank, "convolution: ", name, " has shape ", tensor.shape_text(), ", not ", rank,
          " axes");
  for (int axis = 0; axis < rank; ++axis)
    require(tensor.dim[axis] >= (axis == 0 ? 0 : 1), "convolution: ", name, " has shape ",
            tensor.shape_text());
}

void check_axis(const char* name, int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                int64_t out) {
  require(stride >= 1 && stride <= kMostParameter, "convolution: stride ", stride, " along ", name);
  require(dilation >= 1 && dilation <= kMostParameter, "convolution: dilation ", dilation, " along ", name);
  require(pad >= 0 && pad <= kMostParameter, "convolution: pad ", pad, " along ", name);
  const int64_t extent = dilation * (kernel - 1) + 1, room = size + 2 * pad - extent;
  require(room >= 0, "convolution: a kernel of ", extent, " exceeds the padded input of ", size + 2 * pad,
          " along ", name);
  require(out == room / stride + 1, "convolution: the output has ", out, " along ", name, ", not ",
          room / stride + 1);
}

}  // namespace

void Convolution::check(const Arguments& a) {
  check_tensor(a.src, "input", 4);
  check_tensor(a.weights, "weights", 4);
  check_tensor(a.dst, "output", 4);
  const int64_t C = a.src.dim[1], K = a.dst.dim[1];
  require(a.group >= 1 && C % a.group == 0 && K % a.group == 0, "convolution: ", a.group,
          " groups do not divide ", C, " input and ", K, " output channels");
  require(a.weights.dim[0] == K && a.weights.dim[1] == C / a.group, "convolution: weights ",
          a.weights.shape_text(), " for ", C, " input and ", K, " output channels in ", a.group, " groups");
  require(a.src.dim[0] == a.dst.dim[0], "convolution: ", a.src.dim[0], " images in, ", a.dst.dim[0], " out");
  for (const Tensor* t : {&a.src, &a.dst})
    require(t->dim[0] <= 1 || t->image_stride >= t->image_count(), "convolution: image stride ",
            t->image_stride, " is below an image's size ", t->image_count());
  require(a.weights.contiguous(), "convolution: weights are not contiguous");
  if (a.bias) {
    require(a.bias.type == DataType::f32 && a.bias.count() == K && a.bias.contiguous(), "convolution: bias ",
            a.bias.shape_text(), " for ", K, " output channels");
  }
  check_axis("height", a.src.dim[2], a.weights.dim[2], a.stride_h, a.pad_h, a.dilation_h, a.dst.dim[2]);
  check_axis("width", a.src.dim[3], a.weights.dim[3], a.stride_w, a.pad_w, a.dilation_w, a.dst.dim[3]);
  check_trim_format(a.src_trim);
  check_trim_format(a.dst_trim);
}

namespace {

using Supports = bool(const ConvolutionArguments&);
using Run = void(Context&, const ConvolutionArguments&, const FloatKernels&);

template <const FloatKernels* (*Kernels)(), Supports* supports, Run* run>
KernelRow<ConvolutionArguments> row(const char* name) {
  return {name,
          [](const ConvolutionArguments& a, const CpuFeatures& features) {
            return Kernels() && Kernels()->available(features) && supports(a);
          },
          [](Context& context, const ConvolutionArguments& a) { run(context, a, *Kernels()); }};
}

template <const FloatKernels* (*Kernels)()>
constexpr auto depthwise = row<Kernels, convolution_depthwise_supports, convolution_depthwise>;
template <const FloatKernels* (*Kernels)()>
constexpr auto winograd = row<Kernels, convolution_winograd_supports, convolution_winograd>;
template <const FloatKernels* (*Kernels)()>
constexpr auto panels = row<Kernels, convolution_panels_supports, convolution_panels>;

}  // namespace

const std::vector<KernelRow<ConvolutionArguments>>& Convolution::rows() {
  static const std::vector<KernelRow<ConvolutionArguments>> table = {
      depthwise<float_kernels_avx512>("avx512 depthwise"),
      winograd<float_kernels_avx512>("avx512 winograd"),
      panels<float_kernels_avx512>("avx512"),
      depthwise<float_kernels_avx2>("avx2 depthwise"),
      winograd<float_kernels_avx2>("avx2 winograd"),
      panels<float_kernels_avx2>("avx2"),
      depthwise<float_kernels_portable>("portable depthwise"),
      winograd<float_kernels_portable>("portable winograd"),
      panels<float_kernels_portable>("portable"),
      {"ref", [](const ConvolutionArguments&, const CpuFeatures&) { return true; }, convolution_ref},
  };
  return table;
}

void Convolution::run(Context& context, const Arguments& arguments) {
  check(arguments);
  select_kernel(rows(), arguments, context.features).run(context, arguments);
}

}  // namespace ristretto

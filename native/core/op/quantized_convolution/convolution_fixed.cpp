#include "convolution_fixed.h"

#include <algorithm>
#include <cmath>

#include "convolution_fixed_depthwise.h"
#include "convolution_fixed_tiles.h"

namespace ristretto {

namespace {

constexpr const char* kOp = "convolution";

void check_axis(const char* name, int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                int64_t out) {
  constexpr int64_t kMost = int64_t{1} << 20;
  require(stride >= 1 && stride <= kMost, "convolution: stride ", stride, " along ", name);
  require(dilation >= 1 && dilation <= kMost, "convolution: dilation ", dilation, " along ", name);
  require(pad >= 0 && pad <= kMost, "convolution: pad ", pad, " along ", name);
  const int64_t extent = dilation * (kernel - 1) + 1, room = size + 2 * pad - extent;
  require(room >= 0, "convolution: a kernel of ", extent, " exceeds the padded input of ", size + 2 * pad,
          " along ", name);
  require(out == room / stride + 1, "convolution: the output has ", out, " along ", name, ", not ",
          room / stride + 1);
}

void check_format(const CodeFormat& format, const CodeTensor* holder, const char* name) {
  require(format.bit_width >= 1 && format.bit_width <= 16, "convolution: ", name, " of ", format.bit_width,
          " bits: codes have 1 to 16");
  require(format.fractional_length >= -126 && format.fractional_length <= 126, "convolution: ", name,
          " has fractional length ", format.fractional_length);
  if (holder) {
    require(holder->type == DataType::i16 || format.bit_width <= 8, "convolution: ", format.bit_width,
            " bits do not fit the output's type");
  }
}

// ceil(log2(bound + 1)): bits that hold every magnitude up to it. 1000 where there are none.
int bits_of_bound(long double bound) {
  if (!(bound < 0x1p1000L)) return 1000;
  int exponent = 0;
  std::frexp(bound, &exponent);
  return bound < 1 ? 0 : exponent;
}

// The bounds for sums of magnitudes of weights and for biases up to these.
void raise_bound(const ConvolutionFixedArguments& a, const FixedEpilogue& e, long double weights,
                 long double bias, FixedBound& bound) {
  const long double largest = std::max(std::abs(a.src.low), std::abs(a.src.high));
  const long double sum = largest * weights;
  const long double half = e.output.shift > 0 ? std::ldexp(1.0L, e.output.shift - 1) : 0.0L;
  const long double acc = std::ldexp(sum, e.sum_shift) + std::ldexp(bias, e.bias_shift) + half;
  bound.sum_bits = std::max(bound.sum_bits, bits_of_bound(sum));
  bound.acc_bits = std::max(bound.acc_bits, bits_of_bound(acc));
}

template <class Code>
void raise_bounds(const ConvolutionFixedArguments& a, const FixedEpilogue& e, FixedBound& bound) {
  const Code* weights = static_cast<const Code*>(a.weights.data);
  const int32_t* bias = a.bias ? static_cast<const int32_t*>(a.bias.data) : nullptr;
  const int64_t depth = a.weights.count(1);
  for (int64_t k = 0; k < a.weights.dim[0]; ++k) {
    int64_t sum = 0;
    for (int64_t i = 0; i < depth; ++i) sum += std::abs(int(weights[k * depth + i]));
    raise_bound(a, e, sum, bias ? std::abs(int64_t(bias[k])) : 0, bound);
  }
}

}  // namespace

FixedEpilogue epilogue_of(const ConvolutionFixedArguments& a) {
  FixedEpilogue e =
      make_epilogue(a.src_fractional_length, a.weights_fractional_length, a.output, a.rounding, a.relu);
  if (a.requantises) {
    e.has_consumer = true;
    e.consumer = make_requantise(a.output.fractional_length, a.consumer, a.rounding);
  }
  return e;
}

FixedBound fixed_bound(const ConvolutionFixedArguments& a) {
  const FixedEpilogue e = epilogue_of(a);
  FixedBound bound;
  if (a.weights.type == DataType::i16)
    raise_bounds<int16_t>(a, e, bound);
  else
    raise_bounds<int8_t>(a, e, bound);
  return bound;
}

void ConvolutionFixed::check(const Arguments& a) {
  check_code_tensor(a.src, kOp, "input");
  check_code_tensor(a.dst, kOp, "output");
  require(a.weights.data != nullptr && a.weights.rank == 4, "convolution: weights have shape ",
          a.weights.shape_text(), ", not 4 axes");
  require(a.weights.type == DataType::i8 || a.weights.type == DataType::i16,
          "convolution: weights are not codes of 8 or 16 bits");
  require(a.weights.count() > 0 && a.weights.contiguous(), "convolution: weights of shape ",
          a.weights.shape_text(), " are empty or not contiguous");
  const int64_t C = a.src.channels, K = a.dst.channels;
  require(a.group >= 1 && C % a.group == 0 && K % a.group == 0, "convolution: ", a.group,
          " groups do not divide ", C, " input and ", K, " output channels");
  require(a.weights.dim[0] == K && a.weights.dim[1] == C / a.group, "convolution: weights ",
          a.weights.shape_text(), " for ", C, " input and ", K, " output channels in ", a.group, " groups");
  require(a.src.images == a.dst.images, "convolution: ", a.src.images, " images in, ", a.dst.images, " out");
  if (a.bias) {
    require(a.bias.type == DataType::i32 && a.bias.count() == K && a.bias.contiguous(), "convolution: bias ",
            a.bias.shape_text(), " for ", K, " output channels");
  }
  for (const int64_t spread : {a.spread_h, a.spread_w})
    require(spread >= 1 && spread <= int64_t{1} << 20, "convolution: spread ", spread);
  check_axis("height", (a.src.height - 1) * a.spread_h + 1, a.weights.dim[2], a.stride_h, a.pad_h,
             a.dilation_h, a.dst.height);
  check_axis("width", (a.src.width - 1) * a.spread_w + 1, a.weights.dim[3], a.stride_w, a.pad_w, a.dilation_w,
             a.dst.width);
  for (const int fl : {a.src_fractional_length, a.weights_fractional_length})
    require(fl >= -126 && fl <= 126, "convolution: fractional length ", fl);
  const int type_bits = a.weights.type == DataType::i16 ? 16 : 8;
  require(a.weights_bit_width >= 0 && a.weights_bit_width <= type_bits, "convolution: weights of ",
          a.weights_bit_width, " bits in a type of ", type_bits);
  check_format(a.output, a.requantises ? nullptr : &a.dst, "the output's format");
  if (a.requantises) check_format(a.consumer, &a.dst, "the consumer's format");
  require(a.rounding != Rounding::stochastic, "convolution: codes are not rounded stochastically");
  // What any weights of this type could reach decides nearly always; the weights themselves are looked at
  // only where it does not.
  FixedBound bound;
  const long double most = a.weights.type == DataType::i16 ? 32768 : 128;
  raise_bound(a, epilogue_of(a), most * a.weights.count(1), a.bias ? 0x1p31L : 0, bound);
  require(bound.acc_fits_64() || fixed_bound(a).acc_fits_64(), "convolution: sums may exceed 63 bits");
}

namespace {

template <const FixedKernels* (*Kernels)()>
constexpr KernelRow<ConvolutionFixedArguments> tiles(const char* name) {
  return {name,
          [](const ConvolutionFixedArguments& a, const CpuFeatures& features) {
            return Kernels() && Kernels()->available(features) &&
                   convolution_fixed_tiles_supports(a, *Kernels());
          },
          [](Context& context, const ConvolutionFixedArguments& a) {
            convolution_fixed_tiles(context, a, *Kernels());
          }};
}

template <const CodeKernels* (*Kernels)()>
constexpr KernelRow<ConvolutionFixedArguments> depthwise(const char* name) {
  return {name,
          [](const ConvolutionFixedArguments& a, const CpuFeatures& features) {
            return Kernels() && Kernels()->supports(features) && convolution_fixed_depthwise_supports(a);
          },
          [](Context& context, const ConvolutionFixedArguments& a) {
            convolution_fixed_depthwise(context, a, *Kernels());
          }};
}

}  // namespace

const std::vector<KernelRow<ConvolutionFixedArguments>>& ConvolutionFixed::rows() {
  static const std::vector<KernelRow<ConvolutionFixedArguments>> table = {
      depthwise<code_kernels_avx512>("depthwise_avx512"),
      depthwise<code_kernels_avx2>("depthwise_avx2"),
      depthwise<code_kernels_portable>("depthwise_portable"),
      tiles<fixed_kernels_avx512_vnni>("avx512_vnni"),
      tiles<fixed_kernels_avx_vnni>("avx_vnni"),
      tiles<fixed_kernels_avx512>("avx512"),
      tiles<fixed_kernels_avx2>("avx2"),
      tiles<fixed_kernels_neon_dot>("neon_dot"),
      tiles<fixed_kernels_portable>("portable"),
      {"ref", [](const ConvolutionFixedArguments&, const CpuFeatures&) { return true; },
       convolution_fixed_ref},
  };
  return table;
}

void ConvolutionFixed::run(Context& context, const Arguments& arguments) {
  check(arguments);
  select_kernel(rows(), arguments, context.features).run(context, arguments);
}

}  // namespace ristretto

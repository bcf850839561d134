#include <cstring>
#include <memory>

#include "call.h"
#include "core/op/quantized_convolution/convolution_fixed.h"
#include "views.h"

using namespace ristretto;

// Everything of the arguments but src, dst and the context.
struct ristretto_convolution {
  ConvolutionFixedArguments arguments;
  AlignedBuffer weights, bias;
  PackedWeights packed;
};

namespace {

constexpr int64_t kMostOfAxis = int64_t{1} << 20;

int64_t within(const char* name, int64_t value, int64_t least, int64_t most) {
  require(value >= least && value <= most, name, ": ", value, " is not in ", least, "..", most);
  return value;
}

// A copy of `bytes` bytes; an empty tensor's memory is not null.
AlignedBuffer copy_of(const void* data, int64_t bytes) {
  AlignedBuffer copy(static_cast<size_t>(bytes));
  std::memcpy(copy.data(), data, size_t(bytes));
  return copy;
}

void copy_weights(const ristretto_convolution_parameters& p, ristretto_convolution& c) {
  ConvolutionFixedArguments& a = c.arguments;
  const int64_t K = within("dst_channels", p.dst_channels, 1, INT32_MAX);
  const int64_t C = within("src_channels", p.src_channels, 1, INT32_MAX);
  require(C % a.group == 0 && K % a.group == 0, "group: ", a.group, " groups do not divide ", C,
          " input and ", K, " output channels");
  const int64_t R = within("kernel_h", p.kernel_h, 1, kMostOfAxis);
  const int64_t S = within("kernel_w", p.kernel_w, 1, kMostOfAxis);
  const DataType type = c_api::code_type_of(p.weights_type, "weights_type");
  require(type != DataType::u8, "weights_type: weights are I8 or I16");
  require(p.weights != nullptr, "weights: is NULL");
  const int64_t count = c_api::product(c_api::product(K, C / a.group, "weights"), R * S, "weights");
  c.weights = copy_of(p.weights, c_api::product(count, size_of(type), "weights"));
  a.weights = Tensor::of(nullptr, {K, C / a.group, R, S});
  a.weights.data = c.weights.data();
  a.weights.type = type;
  if (p.bias) {
    c.bias = copy_of(p.bias, K * int64_t(sizeof(int32_t)));
    a.bias = Tensor::of(nullptr, {K});
    a.bias.data = c.bias.data();
    a.bias.type = DataType::i32;
  }
}

std::unique_ptr<ristretto_convolution> make_convolution(const ristretto_convolution_parameters& p) {
  auto c = std::make_unique<ristretto_convolution>();
  ConvolutionFixedArguments& a = c->arguments;
  using c_api::one_if_zero;
  a.stride_h = within("stride_h", one_if_zero(p.stride_h), 1, kMostOfAxis);
  a.stride_w = within("stride_w", one_if_zero(p.stride_w), 1, kMostOfAxis);
  a.dilation_h = within("dilation_h", one_if_zero(p.dilation_h), 1, kMostOfAxis);
  a.dilation_w = within("dilation_w", one_if_zero(p.dilation_w), 1, kMostOfAxis);
  a.pad_h = within("pad_h", p.pad_h, 0, kMostOfAxis);
  a.pad_w = within("pad_w", p.pad_w, 0, kMostOfAxis);
  a.group = within("group", one_if_zero(p.group), 1, INT32_MAX);
  a.src_fractional_length = int(within("src_fractional_length", p.src_fractional_length, -126, 126));
  a.weights_fractional_length =
      int(within("weights_fractional_length", p.weights_fractional_length, -126, 126));
  a.output = c_api::code_format_of(p.output, "output");
  a.requantises = p.requantises != 0;
  if (a.requantises) a.consumer = c_api::code_format_of(p.consumer, "consumer");
  a.relu = p.relu != 0;
  a.rounding = c_api::rounding_of(p.rounding);
  require(a.rounding != Rounding::stochastic, "rounding: codes are not rounded stochastically");
  copy_weights(p, *c);
  a.packed = &c->packed;
  a.weights_version = 1;
  return c;
}

int64_t output_of(const char* name, int64_t size, int64_t kernel, int64_t stride, int64_t pad,
                  int64_t dilation) {
  require(size >= 1 && size <= int64_t{1} << 40, name, ": is ", size);
  const int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
  require(room >= 0, name, ": the kernel exceeds the padded input of ", size + 2 * pad);
  return room / stride + 1;
}

}  // namespace

ristretto_status ristretto_convolution_create(const ristretto_convolution_parameters* parameters,
                                              ristretto_convolution** convolution) {
  return c_api::call([&] {
    require(convolution != nullptr, "convolution: is NULL");
    *convolution = nullptr;
    require(parameters != nullptr, "parameters: is NULL");
    *convolution = make_convolution(*parameters).release();
  });
}

void ristretto_convolution_destroy(ristretto_convolution* convolution) { delete convolution; }

ristretto_status ristretto_convolution_output(const ristretto_convolution* convolution, int64_t height,
                                              int64_t width, int64_t* dst_height, int64_t* dst_width) {
  return c_api::call([&] {
    require(convolution != nullptr, "convolution: is NULL");
    require(dst_height != nullptr && dst_width != nullptr, "dst_height or dst_width: is NULL");
    const ConvolutionFixedArguments& a = convolution->arguments;
    const int64_t P = output_of("height", height, a.weights.dim[2], a.stride_h, a.pad_h, a.dilation_h);
    const int64_t Q = output_of("width", width, a.weights.dim[3], a.stride_w, a.pad_w, a.dilation_w);
    *dst_height = P;
    *dst_width = Q;
  });
}

ristretto_status ristretto_convolution_run(ristretto_context* context, ristretto_convolution* convolution,
                                           const ristretto_codes* src, const ristretto_codes* dst) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    require(convolution != nullptr, "convolution: is NULL");
    ConvolutionFixedArguments a = convolution->arguments;
    a.src = c_api::codes_of(src, "src");
    a.dst = c_api::codes_of(dst, "dst");
    c_api::check_and_run<ConvolutionFixed>(core, a);
  });
}

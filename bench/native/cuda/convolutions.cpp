#include "convolutions.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "core/aligned_buffer.h"
#include "core/op/quantized_convolution/convolution_fixed.h"
#include "cuda/op/quantized_convolution/convolution_fixed.h"
#include "cuda/ops.h"

namespace ristretto::bench {

namespace {

constexpr int64_t kSlack = 64;
constexpr int kHigh = 127;
// Images that differ; more are copies of these.
constexpr int64_t kDifferent = 2;

// Laid out as the engine does: a halo that covers what the consumer pads.
CodeTensor codes(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t halo) {
  CodeTensor t;
  t.type = DataType::i8;
  t.images = images, t.height = height, t.width = width, t.channels = channels;
  t.halo_h = t.halo_w = halo;
  t.pixel_stride = channels;
  t.row_stride = (width + 2 * halo) * channels;
  t.image_stride = (height + 2 * halo) * t.row_stride;
  t.low = 0, t.high = kHigh;
  t.slack = kSlack;
  return t;
}

void place(CodeTensor& t, void* memory) {
  t.data = static_cast<char*>(memory) + t.halo_h * t.row_stride + t.halo_w * t.pixel_stride;
}

Tensor integers(DataType type, std::initializer_list<int64_t> dims, void* data) {
  Tensor t = Tensor::of(nullptr, dims);
  t.type = type;
  t.data = data;
  return t;
}

// Activations as behind a ReLU, weights bell-shaped.
class Operands {
 public:
  Operands(Machine& machine, const Shape& s, int64_t images, int weights_bits)
      : machine_(machine),
        high_((1 << (weights_bits - 1)) - 1),
        src_view_(codes(images, s.height, s.width, s.channels, s.pad)),
        dst_view_(codes(images, s.out_height(), s.out_width(), s.kernels, 0)),
        src_(machine, images * src_view_.image_stride + kSlack),
        dst_(machine, images * dst_view_.image_stride + kSlack),
        weights_(machine, s.kernels * (s.channels / s.group) * s.kernel_h * s.kernel_w),
        bias_(machine, s.kernels * int64_t{sizeof(int32_t)}) {
    place(src_view_, src_.bytes());
    place(dst_view_, dst_.bytes());
    a_.src = src_view_;
    a_.dst = dst_view_;
    a_.weights =
        integers(DataType::i8, {s.kernels, s.channels / s.group, s.kernel_h, s.kernel_w}, weights_.bytes());
    a_.bias = integers(DataType::i32, {s.kernels}, bias_.bytes());
    a_.stride_h = a_.stride_w = s.stride;
    a_.pad_h = a_.pad_w = s.pad;
    a_.group = s.group;
    a_.src_fractional_length = a_.weights_fractional_length = 7;
    a_.weights_bit_width = weights_bits;
    a_.relu = true;
    // The output's largest codes are about as likely to saturate as a calibrated layer's.
    const double sum = std::sqrt(double(a_.weights.count(1))) * kHigh / 2.0 * high_ / 4.0;
    a_.output = {8, 14 - int(std::ceil(std::log2(4 * sum / kHigh)))};
    a_.packed = &packed_;
    a_.weights_version = 1;
    ConvolutionFixed::check(a_);
    fill();
  }

  const ConvolutionFixedArguments& arguments() const { return a_; }
  double bytes() const {
    const double weights = double(weights_.size()) * (a_.weights_bit_width <= 4 ? 0.5 : 1.0);
    return double(src_.size() + dst_.size() - 2 * kSlack + bias_.size()) + weights;
  }

  void check(const std::function<void()>& run) {
    const int64_t images = a_.src.images, image = a_.dst.image_stride;
    const int64_t looked_at[] = {0, std::min<int64_t>(1, images - 1), images / 2, images - 1};
    for (const int64_t n : looked_at) std::memset(dst_.bytes() + n * image, 0x55, size_t(image));
    run();
    machine_.device.synchronize();

    ConvolutionFixedArguments right = a_;
    PackedWeights packed;
    right.packed = &packed;
    right.src.images = right.dst.images = std::min(images, kDifferent);
    AlignedBuffer expected(size_t(right.dst.images * image + kSlack));
    place(right.dst, expected.data());
    ConvolutionFixed::run(machine_.cpu, right);
    for (const int64_t n : looked_at)
      require(
          std::memcmp(dst_.bytes() + n * image,
                      static_cast<const char*>(expected.data()) + n % kDifferent * image, size_t(image)) == 0,
          "codes of image ", n, " of ", images, " differ from the CPU's");
  }

 private:
  void fill() {
    std::mt19937 engine(1);
    const auto integer = [&](int most) { return int(engine() % uint32_t(2 * most + 1)) - most; };
    for (int64_t n = 0; n < std::min(a_.src.images, kDifferent); ++n)
      for (int64_t h = 0; h < a_.src.height; ++h)
        for (int64_t w = 0; w < a_.src.width; ++w)
          for (int64_t c = 0; c < a_.src.channels; ++c)
            a_.src.set_code(n, h, w, c, std::max(0, integer(kHigh)));
    for (int64_t i = 0; i < weights_.size(); ++i)
      weights_.of<int8_t>()[i] =
          int8_t((integer(high_) + integer(high_) + integer(high_) + integer(high_)) / 4);
    for (int64_t k = 0; k < a_.bias.count(); ++k) bias_.of<int32_t>()[k] = integer(kHigh);
    for (int64_t n = kDifferent; n < a_.src.images; ++n)
      machine_.device.copy(src_.bytes() + n * a_.src.image_stride,
                           src_.bytes() + n % kDifferent * a_.src.image_stride, size_t(a_.src.image_stride));
    machine_.device.synchronize();
  }

  Machine& machine_;
  int high_;  // the largest code of the weights
  CodeTensor src_view_, dst_view_;
  Memory src_, dst_, weights_, bias_;
  PackedWeights packed_;
  ConvolutionFixedArguments a_;
};

double bytes_of(const Shape& s, int64_t images) {
  const double src = double((s.height + 2 * s.pad) * (s.width + 2 * s.pad) * s.channels);
  return double(images) * (src + double(s.out_height() * s.out_width() * s.kernels));
}

}  // namespace

ConvolutionRow bench_convolution(Machine& machine, RateMeter& meter, const Rates& rates, const Shape& shape,
                                 int64_t images, int weights_bits) {
  ConvolutionRow row;
  if (bytes_of(shape, images) > 0.6 * double(machine.device.device().free_bytes)) {
    row.left_out = "more than the device's memory";
    return row;
  }
  // The last problem's memory, kept for reuse, would push this one's pages to the host.
  machine.device.memory()->trim();
  Operands operands(machine, shape, images, weights_bits);
  row.operations = 2 * shape.multiplications() * double(images);
  row.bytes = operands.bytes();
  row.on_device = cuda::run(machine.device, operands.arguments());
  machine.device.synchronize();
  if (!row.on_device) {
    row.left_out = "on the CPU: no kernel";
    return row;
  }
  std::vector<std::function<void()>> turns = {[&] { cuda::run(machine.device, operands.arguments()); },
                                              meter.copy_pass(), meter.multiply_pass()};
  operands.check(turns[0]);
  if (machine.device.device().warpgroups &&
      cuda::convolution_fixed_warpgroups_supports(operands.arguments())) {
    turns.push_back([&] { cuda::convolution_fixed_warpgroups(machine.device, operands.arguments()); });
    operands.check(turns.back());
  }
  const auto seconds = seconds_in_turns(machine, turns);
  if (seconds.size() > 3) row.warpgroup_seconds = seconds[3];
  row.seconds = seconds[0];
  const double bandwidth = meter.cached(row.bytes) ? rates.cached_read : meter.copy_rate(seconds[1]);
  row.floor = std::max(row.operations / meter.multiply_rate(seconds[2]), row.bytes / bandwidth);
  return row;
}

}  // namespace ristretto::bench

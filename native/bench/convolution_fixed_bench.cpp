#include "convolution_fixed_bench.h"

#include <cmath>
#include <cstring>
#include <random>

#include "clock.h"
#include "core/aligned_buffer.h"
#include "core/op/quantized_convolution/convolution_fixed.h"
#include "rates.h"

namespace ristretto::bench {

namespace {

constexpr int64_t kSlack = 64;
constexpr int kFewestRounds = 5;
// Below this a round would measure the clock.
constexpr double kRoundSeconds = 1e-3;
// What takes this long is timed once.
constexpr double kLongSeconds = 1;

// A code tensor with memory of its own, laid out as the engine does: a halo that covers what the consumer
// pads.
struct Codes {
  AlignedBuffer buffer;
  CodeTensor view;

  Codes(DataType type, int64_t images, int64_t height, int64_t width, int64_t channels, int64_t halo, int low,
        int high) {
    view.type = type;
    view.images = images, view.height = height, view.width = width, view.channels = channels;
    view.halo_h = view.halo_w = halo;
    view.pixel_stride = channels;
    view.row_stride = (width + 2 * halo) * channels;
    view.image_stride = (height + 2 * halo) * view.row_stride;
    view.low = low, view.high = high;
    view.slack = kSlack;
    buffer = AlignedBuffer(size_t(images * view.image_stride * view.element_bytes() + kSlack));
    view.data = static_cast<char*>(buffer.data()) +
                (halo * view.row_stride + halo * view.pixel_stride) * view.element_bytes();
  }
  int64_t image_bytes() const { return view.image_stride * view.element_bytes(); }
  const char* image(int64_t n) const { return static_cast<const char*>(buffer.data()) + n * image_bytes(); }
};

int64_t out_size(int64_t size, int64_t kernel, const ConvolutionProblem& p) {
  return (size + 2 * p.pad - kernel) / p.stride + 1;
}

void check(const ConvolutionProblem& p) {
  for (const int64_t size :
       {p.channels, p.height, p.width, p.kernels, p.kernel_h, p.kernel_w, p.stride, p.group, p.images})
    require(size >= 1 && size <= 1 << 20, "a convolution of ", size, " of something");
  require(p.pad >= 0 && p.pad <= 1 << 20, "pad ", p.pad);
  require(p.channels % p.group == 0 && p.kernels % p.group == 0, p.group, " groups do not divide ",
          p.channels, " input and ", p.kernels, " output channels");
  require(p.height + 2 * p.pad >= p.kernel_h && p.width + 2 * p.pad >= p.kernel_w, "a kernel of ", p.kernel_h,
          " x ", p.kernel_w, " on a padded input of ", p.height + 2 * p.pad, " x ", p.width + 2 * p.pad);
  require(p.bits == 8 || p.bits == 16, "codes of ", p.bits, " bits: 8 and 16 are measured");
}

// Activations as behind a ReLU, weights bell-shaped, every image the same.
class Operands {
 public:
  explicit Operands(const ConvolutionProblem& p)
      : high_(p.bits == 8 ? 127 : 32767),
        src_(type(p), p.images, p.height, p.width, p.channels, p.pad, 0, high_),
        dst_(type(p), p.images, out_size(p.height, p.kernel_h, p), out_size(p.width, p.kernel_w, p),
             p.kernels, 0, 0, high_),
        weights_(size_t(p.kernels * (p.channels / p.group) * p.kernel_h * p.kernel_w) * size_t(p.bits / 8)),
        bias_(size_t(p.kernels) * sizeof(int32_t)) {
    a_.src = src_.view;
    a_.dst = dst_.view;
    a_.weights = Tensor::of(nullptr, {p.kernels, p.channels / p.group, p.kernel_h, p.kernel_w});
    a_.weights.data = weights_.data();
    a_.weights.type = p.bits == 8 ? DataType::i8 : DataType::i16;
    a_.bias = Tensor::of(nullptr, {p.kernels});
    a_.bias.data = bias_.data();
    a_.bias.type = DataType::i32;
    a_.stride_h = a_.stride_w = p.stride;
    a_.pad_h = a_.pad_w = p.pad;
    a_.group = p.group;
    a_.src_fractional_length = p.bits - 1;
    a_.weights_fractional_length = p.bits - 1;
    a_.relu = true;
    fill();
    // The output's largest codes are about as likely to saturate as a calibrated layer's.
    const double sum = std::sqrt(double(a_.weights.count(1))) * high_ / 2.0 * high_ / 4.0;
    const int shift = int(std::ceil(std::log2(4 * sum / high_)));
    a_.output = {p.bits, 2 * (p.bits - 1) - shift};
    a_.packed = &packed_;
    ConvolutionFixed::check(a_);
  }

  // Packed for this row alone from here on.
  const ConvolutionFixedArguments& arguments(int64_t version) {
    a_.weights_version = version;
    return a_;
  }
  // On the first image alone.
  ConvolutionFixedArguments first_image() const {
    ConvolutionFixedArguments a = a_;
    a.src.images = a.dst.images = 1;
    return a;
  }
  void clear() { std::memset(dst_.buffer.data(), 0x55, dst_.buffer.size()); }
  bool equals(const std::vector<char>& expected) const {
    for (int64_t n = 0; n < dst_.view.images; ++n)
      if (std::memcmp(dst_.image(n), expected.data(), expected.size()) != 0) return false;
    return true;
  }
  std::vector<char> result() const { return {dst_.image(0), dst_.image(0) + dst_.image_bytes()}; }
  double operations() const {
    return 2.0 * double(a_.dst.images * a_.dst.height * a_.dst.width) * double(a_.weights.count());
  }

 private:
  static DataType type(const ConvolutionProblem& p) { return p.bits == 8 ? DataType::i8 : DataType::i16; }

  void fill() {
    std::mt19937 engine(1);
    const auto integer = [&](int most) { return int(engine() % uint32_t(2 * most + 1)) - most; };
    std::memset(src_.buffer.data(), 0, src_.buffer.size());
    for (int64_t h = 0; h < a_.src.height; ++h)
      for (int64_t w = 0; w < a_.src.width; ++w)
        for (int64_t c = 0; c < a_.src.channels; ++c)
          a_.src.set_code(0, h, w, c, std::max(0, integer(high_)));
    for (int64_t n = 1; n < a_.src.images; ++n)
      std::memcpy(const_cast<char*>(src_.image(n)), src_.image(0), size_t(src_.image_bytes()));
    const int quarter = high_ / 4;
    for (int64_t i = 0; i < a_.weights.count(); ++i) {
      const int code = integer(quarter) + integer(quarter) + integer(quarter) + integer(quarter);
      if (a_.weights.type == DataType::i8)
        static_cast<int8_t*>(weights_.data())[i] = int8_t(code);
      else
        static_cast<int16_t*>(weights_.data())[i] = int16_t(code);
    }
    for (int64_t k = 0; k < a_.bias.count(); ++k) static_cast<int32_t*>(bias_.data())[k] = integer(high_);
  }

  int high_;
  Codes src_, dst_;
  AlignedBuffer weights_, bias_;
  PackedWeights packed_;
  ConvolutionFixedArguments a_;
};

// In turns, so that whatever else the machine does hits all alike.
void time_in_turns(Context& context, Operands& operands, const KernelRow<ConvolutionFixedArguments>& row,
                   const RegisterLoop* loop, double seconds, ConvolutionTiming& timing) {
  const ConvolutionFixedArguments& a = operands.arguments(1);
  double start = now();
  row.run(context, a);
  const double once = now() - start;
  const int repeats = int(std::min(1e4, std::ceil(kRoundSeconds / std::max(once, 1e-7))));
  const int fewest = once > kLongSeconds ? 1 : kFewestRounds;
  Best best, peak;
  double spent = 0;
  for (int round = 0; round < fewest || spent < seconds; ++round) {
    start = now();
    for (int i = 0; i < repeats; ++i) row.run(context, a);
    const double passed = now() - start;
    spent += passed;
    best.add(passed / repeats);
    if (loop) peak.add(seconds_of(context, *loop));
  }
  timing.seconds = best.seconds;
  if (loop) {
    timing.instruction = loop->instruction;
    timing.peak = loop->operations * context.pool.threads() / peak.seconds;
  }
}

}  // namespace

std::vector<ConvolutionTiming> bench_convolution_fixed(Context& context, const ConvolutionProblem& problem,
                                                       const std::string& kernel, double seconds) {
  check(problem);
  Operands operands(problem);
  const double start = now();
  convolution_fixed_ref(context, operands.first_image());
  const double definition_seconds = now() - start;
  const std::vector<char> expected = operands.result();

  std::vector<ConvolutionTiming> timings;
  bool known = kernel.empty();
  for (const auto& row : ConvolutionFixed::rows()) {
    if (!kernel.empty() && kernel != row.name) continue;
    known = true;
    ConvolutionTiming timing;
    timing.kernel = row.name;
    timing.operations = operands.operations();
    timing.definition = row.run == convolution_fixed_ref;
    if (timing.definition) {
      timing.operations /= double(problem.images);
      timing.seconds = definition_seconds;
    } else {
      operands.clear();
      const ConvolutionFixedArguments& a = operands.arguments(-1);
      if (!row.supports(a, context.features)) continue;
      row.run(context, operands.arguments(1));
      require(operands.equals(expected), "kernel ", row.name, " differs from the definition");
      time_in_turns(context, operands, row, fixed_loop(row.name, problem.bits == 16, context.features),
                    seconds, timing);
    }
    timings.push_back(timing);
  }
  require(known, "no kernel of the fixed-point convolution is called '", kernel, "'");
  return timings;
}

}  // namespace ristretto::bench

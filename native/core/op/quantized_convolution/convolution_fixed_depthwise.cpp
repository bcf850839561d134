#include "convolution_fixed_depthwise.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <optional>
#include <vector>

#include "fixed_step.h"

namespace ristretto {

namespace {

constexpr int64_t kMostTaps = 1 << 12;
constexpr int64_t kLeastTask = 64 << 10;  // products that are worth a task

// No sum exceeds it, nor any on its way: what u8 adds to codes enters with each product and leaves at the
// start.
int64_t largest_sum(const ConvolutionFixedArguments& a) {
  const int64_t code =
      a.src.type == DataType::u8 ? 255 + 128 : std::max(std::abs(a.src.low), std::abs(a.src.high));
  return code * (a.weights.type == DataType::i16 ? 32768 : 128) * a.weights.count(2);
}

// The epilogue on 32-bit sums, where shift, bias and rounding fit too.
std::optional<FixedStore> make_store(const ConvolutionFixedArguments& a, const FixedEpilogue& e) {
  const std::optional<FixedStep> output = make_fixed_step(e.output);
  if (!output || e.sum_shift > 30 || e.bias_shift > 30) return std::nullopt;
  int64_t bias = 0;
  for (int64_t k = 0; a.bias && k < a.dst.channels; ++k)
    bias = std::max(bias, std::abs(int64_t{static_cast<const int32_t*>(a.bias.data)[k]}));
  if ((largest_sum(a) << e.sum_shift) + (bias << e.bias_shift) + (int64_t{1} << 30 >> (30 - output->right)) >
      INT32_MAX)
    return std::nullopt;
  FixedStore store;
  store.sum_left = e.sum_shift;
  store.relu = e.relu;
  store.output = *output;
  store.type = a.dst.type;
  store.zero = a.dst.zero();
  store.has_consumer = e.has_consumer;
  if (e.has_consumer) {
    const std::optional<FixedStep> consumer = make_fixed_code_step(e.consumer);
    if (!consumer) return std::nullopt;
    store.consumer = *consumer;
  }
  return store;
}

class Depthwise {
 public:
  Depthwise(Context& context, const ConvolutionFixedArguments& a, const CodeKernels& kernels)
      : context_(context),
        a_(a),
        kernels_(kernels),
        epilogue_(epilogue_of(a)),
        store_(make_store(a, epilogue_)) {
    order_weights();
    line_.pixel_bytes = a.stride_w * a.src.pixel_stride * a.src.element_bytes();
    line_.weights = weights_;
    line_.init = init_;
    line_.bias = bias_;
    line_.channels = a.src.channels;
    line_.type = a.src.type;
    line_.store = store_ ? &*store_ : nullptr;
    line_.dst_pixel_bytes = a.dst.pixel_stride * a.dst.element_bytes();
    // Columns whose windows read nothing but the image and its halo.
    const int64_t S = a.weights.dim[3], first = -std::min(a.pad_w, a.src.halo_w);
    const int64_t last = a.src.width - 1 + std::min(a.pad_w, a.src.halo_w) - (S - 1) * a.dilation_w;
    inner_begin_ = std::min(a.dst.width, (a.pad_w + first + a.stride_w - 1) / a.stride_w);
    inner_end_ = last + a.pad_w < 0 ? 0 : std::min(a.dst.width, (last + a.pad_w) / a.stride_w + 1);
    inner_end_ = std::max(inner_end_, inner_begin_);
  }

  void run() {
    const int64_t P = a_.dst.height;
    const int64_t products = a_.dst.width * a_.dst.channels * a_.weights.count(2);
    context_.pool.for_range(a_.dst.images * P, std::max<int64_t>(1, kLeastTask / products),
                            [&](int64_t begin, int64_t end, int worker) {
                              std::vector<int64_t> taps(size_t(2 * a_.weights.count(2)));
                              for (int64_t i = begin; i < end; ++i) {
                                row(i / P, i % P, taps.data(), worker);
                                fill_halo(a_.dst, i / P, i % P, i % P + 1);
                              }
                            });
  }

 private:
  // What stands before kept weights.
  struct Header {
    const void* by;
    int64_t channels, taps;
    DataType type;
    bool operator==(const Header&) const = default;
  };
  static_assert(sizeof(Header) <= 64);

  // Weights as [tap][channel], kept between calls; what sums start from and what is added to them is made
  // anew, for it depends on formats.
  void order_weights() {
    const int64_t C = a_.src.channels, taps = a_.weights.count(2);
    const size_t bytes = 64 + size_t(taps * C) * sizeof(int32_t), starts = size_t(2 * C) * sizeof(int32_t);
    PackedWeights* kept = a_.packed;
    char* shared = static_cast<char*>(context_.shared_scratch(starts + (kept ? 0 : bytes)));
    int32_t *init = reinterpret_cast<int32_t*>(shared), *bias = init + C;
    for (int64_t c = 0; c < C; ++c) {
      bias[c] = a_.bias ? static_cast<const int32_t*>(a_.bias.data)[c] : 0;
      init[c] = store_ && epilogue_.sum_shift == 0 ? bias[c] * (int32_t{1} << epilogue_.bias_shift) : 0;
    }
    init_ = init, bias_ = bias;

    static const char key = 0;
    const Header header{&key, C, taps, a_.weights.type};
    const bool ready = kept && kept->packed_by == &key && kept->version == a_.weights_version &&
                       *static_cast<const Header*>(kept->data.data()) == header;
    if (kept && !ready) {
      kept->version = -1;
      if (kept->data.size() != bytes) kept->data = AlignedBuffer(bytes);
    }
    char* at = kept ? static_cast<char*>(kept->data.data()) : shared + starts;
    int32_t* weights = reinterpret_cast<int32_t*>(at + 64);
    weights_ = weights;
    if (ready) return;
    for (int64_t c = 0; c < C; ++c)
      for (int64_t t = 0; t < taps; ++t)
        weights[t * C + c] = a_.weights.type == DataType::i16
                                 ? static_cast<const int16_t*>(a_.weights.data)[c * taps + t]
                                 : static_cast<const int8_t*>(a_.weights.data)[c * taps + t];
    if (!kept) return;
    new (at) Header(header);
    kept->packed_by = &key;
    kept->version = a_.weights_version;
  }

  void row(int64_t n, int64_t p, int64_t* taps, int worker) {
    for (int64_t q = 0; q < inner_begin_; ++q) pixels(n, p, q, q + 1, taps, worker);
    pixels(n, p, inner_begin_, inner_end_, taps, worker);
    for (int64_t q = inner_end_; q < a_.dst.width; ++q) pixels(n, p, q, q + 1, taps, worker);
  }

  // Outputs [begin, end), all of whose windows have the same taps inside the image or its halo.
  void pixels(int64_t n, int64_t p, int64_t begin, int64_t end, int64_t* taps, int worker) {
    if (begin == end) return;
    const int64_t R = a_.weights.dim[2], S = a_.weights.dim[3];
    const int64_t top = p * a_.stride_h - a_.pad_h, left = begin * a_.stride_w - a_.pad_w;
    DepthwiseLine l = line_;
    int64_t *places = taps, *rows = taps + R * S;
    l.tap_count = 0;
    for (int64_t r = 0; r < R; ++r)
      for (int64_t s = 0; s < S; ++s) {
        const int64_t h = top + r * a_.dilation_h, w = left + s * a_.dilation_w;
        const bool outside = h < -a_.src.halo_h || h >= a_.src.height + a_.src.halo_h || w < -a_.src.halo_w ||
                             w >= a_.src.width + a_.src.halo_w;
        if (outside) continue;
        places[l.tap_count] = a_.src.offset(0, h, w) * a_.src.element_bytes();
        rows[l.tap_count++] = r * S + s;
      }
    l.taps = places, l.weight_rows = rows;
    l.src = a_.src.pixel(n, 0, 0);
    l.pixels = end - begin;
    l.dst = a_.dst.pixel(n, p, begin);
    if (!store_)
      l.sums =
          static_cast<int32_t*>(context_.scratch(worker, size_t(l.pixels * l.channels) * sizeof(int32_t)));
    kernels_.depthwise(l);
    if (store_) return;
    for (int64_t i = 0; i < l.pixels; ++i)
      for (int64_t c = 0; c < l.channels; ++c)
        a_.dst.set_code(n, p, begin + i, c,
                        int(apply_epilogue(l.sums[i * l.channels + c], bias_[c], epilogue_)));
  }

  Context& context_;
  const ConvolutionFixedArguments& a_;
  const CodeKernels& kernels_;
  const FixedEpilogue epilogue_;
  const std::optional<FixedStore> store_;
  const int32_t *init_ = nullptr, *bias_ = nullptr, *weights_ = nullptr;
  int64_t inner_begin_ = 0, inner_end_ = 0;
  DepthwiseLine line_{};
};

}  // namespace

bool convolution_fixed_depthwise_supports(const ConvolutionFixedArguments& a) {
  return a.group == a.src.channels && a.dst.channels == a.src.channels && a.spread_h == 1 &&
         a.spread_w == 1 && a.weights.count(2) <= kMostTaps && largest_sum(a) <= INT32_MAX;
}

void convolution_fixed_depthwise(Context& context, const ConvolutionFixedArguments& arguments,
                                 const CodeKernels& kernels) {
  Depthwise(context, arguments, kernels).run();
}

}  // namespace ristretto

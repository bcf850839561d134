// Trims in one pass: a thread takes 16 bytes at a time, so that one block of Philox serves its four elements.
// The arithmetic is that of the processor's vectors (core/cpu/trim_lanes.inl), a dozen operations an element:
// the definition's integers of 64 bits would take more time than memory does. Spans at odd places, and
// stochastic powers of two, take the definition (core/format).
#include <algorithm>

#include "core/format/dynamic_fixed_point.h"
#include "core/format/minifloat.h"
#include "core/format/power_of_two.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/scalar_lanes.h"
#include "cuda/spans.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
// Vectors that a thread has under way at once.
constexpr int kInFlight = 4;

struct Copy {
  RISTRETTO_HOST_DEVICE float operator()(float x, uint32_t) const { return x; }
};
#include "core/cpu/trim_lanes.inl"

// The definition of one format.
struct Definition {
  TrimFormat format;
  RISTRETTO_HOST_DEVICE float operator()(float x, uint32_t word) const {
    if (format.kind == FormatKind::dynamic_fixed_point)
      return dynamic_fixed_point_trim(x, dynamic_fixed_point(format), word);
    if (format.kind == FormatKind::minifloat) return minifloat_trim(x, minifloat(format), word);
    if (format.kind == FormatKind::integer_power_of_two)
      return power_of_two_trim(x, power_of_two(format), word);
    return x;
  }
};

struct TrimJob {
  const float* src;
  float* dst;
  Spans spans;
  RandomStream random;
  NanReport report;
};

template <class Format, bool kStochastic>
RISTRETTO_DEVICE Vector16 trim_vector(const Vector16& in, const Format& format, const RandomStream& random,
                                      uint64_t group, bool& nan) {
  PhiloxBlock words = {};
  if (kStochastic) words = random_words(random, group);
  Vector16 out;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    nan = nan || is_nan_bits(in.word[i]);
    out.word[i] = bits_of(format(float_of(in.word[i]), words.word[i]));
  }
  return out;
}

// Spans that start at multiples of 16 bytes and of four random words.
template <class Format, bool kStochastic>
RISTRETTO_KERNEL(kThreads, 4)
trim_vectors(TrimJob job, Format format) {
  const int64_t vectors = job.spans.count / 4, step = int64_t{kThreads} * blocks() * kInFlight;
  const int64_t image = block_index(1);
  const float* src = job.src + image * job.spans.src_stride;
  float* dst = job.dst + image * job.spans.dst_stride;
  const uint64_t first_group = (job.random.first_element + uint64_t(image * job.spans.count)) / 4;
  bool nan = false;
  for (int64_t base = int64_t{block_index()} * kThreads * kInFlight; base < vectors; base += step) {
    Vector16 in[kInFlight];
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      const int64_t at = base + i * kThreads + thread_index();
      if (at < vectors) in[i] = load_once(src + 4 * at);
    }
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      const int64_t at = base + i * kThreads + thread_index();
      if (at < vectors)
        store_once(dst + 4 * at, trim_vector<Format, kStochastic>(in[i], format, job.random,
                                                                  first_group + uint64_t(at), nan));
    }
  }
  if (block_index() == 0 && thread_index() < job.spans.count % 4) {
    const int64_t at = vectors * 4 + thread_index();
    nan = nan || is_nan_bits(bits_of(src[at]));
    const uint32_t word = kStochastic ? random_word(job.random, 4 * first_group + uint64_t(at)) : 0;
    dst[at] = format(src[at], word);
  }
  if (nan) job.report.tell();
}

// Any spans, by the definition.
RISTRETTO_KERNEL(kThreads, 4) trim_elements(TrimJob job, Definition definition) {
  const int64_t image = block_index(1), step = int64_t{kThreads} * blocks();
  const float* src = job.src + image * job.spans.src_stride;
  float* dst = job.dst + image * job.spans.dst_stride;
  const uint64_t first = job.random.first_element + uint64_t(image * job.spans.count);
  const bool stochastic = definition.format.rounding == Rounding::stochastic;
  bool nan = false;
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.spans.count; i += step) {
    nan = nan || is_nan_bits(bits_of(src[i]));
    dst[i] = definition(src[i], stochastic ? random_word(job.random, first + uint64_t(i)) : 0);
  }
  if (nan) job.report.tell();
}

class Trims {
 public:
  Trims(Context& context, const TrimArguments& a)
      : context_(context),
        format_(a.format),
        job_{a.src.f32(), a.dst.f32(), spans_of(a.src, a.dst), a.random, context.nan_report()},
        vectors_(aligned16(a.src, a.dst, job_.spans) && a.random.first_element % 4 == 0 &&
                 (job_.spans.images == 1 || job_.spans.count % 4 == 0)) {}

  void run() const {
    if (job_.spans.images == 0 || job_.spans.count == 0) return;
    switch (vectors_ ? format_.kind : FormatKind::none) {
      case FormatKind::none:
        return vectors_ ? trim_with<false>(Copy{}) : trim_as_defined();
      case FormatKind::dynamic_fixed_point:
        return trim_lanes<DynamicFixedPointLanes>();
      case FormatKind::minifloat:
        return trim_lanes<MinifloatLanes>();
      case FormatKind::integer_power_of_two:
        // There are no ties between powers of two: every nearest rule is the same.
        if (format_.rounding == Rounding::stochastic) return trim_as_defined();
        if (format_.rounding == Rounding::floor)
          return trim_with<false>(PowerOfTwoLanes<ScalarLanes, Rounding::floor>(format_));
        return trim_with<false>(PowerOfTwoLanes<ScalarLanes, Rounding::half_away_from_zero>(format_));
    }
  }

 private:
  template <template <class, Rounding> class Lanes>
  void trim_lanes() const {
    switch (format_.rounding) {
      case Rounding::half_away_from_zero:
        return trim_with<false>(Lanes<ScalarLanes, Rounding::half_away_from_zero>(format_));
      case Rounding::half_to_even:
        return trim_with<false>(Lanes<ScalarLanes, Rounding::half_to_even>(format_));
      case Rounding::half_up:
        return trim_with<false>(Lanes<ScalarLanes, Rounding::half_up>(format_));
      case Rounding::floor:
        return trim_with<false>(Lanes<ScalarLanes, Rounding::floor>(format_));
      case Rounding::stochastic:
        return trim_with<true>(Lanes<ScalarLanes, Rounding::stochastic>(format_));
    }
  }

  template <bool kStochastic, class Format>
  void trim_with(const Format& format) const {
    const Grid grid = span_grid(context_, job_.spans, int64_t{kThreads} * kInFlight * 4);
    launch(context_, "trim_vectors", grid, kThreads, 0, trim_vectors<Format, kStochastic>, job_, format);
  }
  void trim_as_defined() const {
    const Grid grid = span_grid(context_, job_.spans, kThreads);
    launch(context_, "trim_elements", grid, kThreads, 0, trim_elements, job_, Definition{format_});
  }

  Context& context_;
  const TrimFormat format_;
  const TrimJob job_;
  const bool vectors_;
};

}  // namespace

bool run(Context& context, const TrimArguments& a) {
  Trims(context, a).run();
  return true;
}

}  // namespace ristretto::cuda

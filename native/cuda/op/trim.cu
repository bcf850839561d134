// Trims in one pass: a thread takes 16 bytes at a time, so that one block of Philox serves its four elements.
// The arithmetic is the scalar definition's own (core/format).
#include <algorithm>

#include "core/format/dynamic_fixed_point.h"
#include "core/format/minifloat.h"
#include "core/format/power_of_two.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/spans.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
// Vectors that a thread has under way at once.
constexpr int kInFlight = 4;

struct Copy {
  RISTRETTO_HOST_DEVICE float operator()(float x, uint32_t) const { return x; }
};
struct ToFixedPoint {
  DynamicFixedPoint format;
  RISTRETTO_HOST_DEVICE float operator()(float x, uint32_t word) const {
    return dynamic_fixed_point_trim(x, format, word);
  }
};
struct ToMinifloat {
  Minifloat format;
  RISTRETTO_HOST_DEVICE float operator()(float x, uint32_t word) const {
    return minifloat_trim(x, format, word);
  }
};
struct ToPowerOfTwo {
  PowerOfTwo format;
  RISTRETTO_HOST_DEVICE float operator()(float x, uint32_t word) const {
    return power_of_two_trim(x, format, word);
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

// Any spans.
template <class Format, bool kStochastic>
RISTRETTO_KERNEL(kThreads, 4)
trim_elements(TrimJob job, Format format) {
  const int64_t image = block_index(1), step = int64_t{kThreads} * blocks();
  const float* src = job.src + image * job.spans.src_stride;
  float* dst = job.dst + image * job.spans.dst_stride;
  const uint64_t first = job.random.first_element + uint64_t(image * job.spans.count);
  bool nan = false;
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.spans.count; i += step) {
    nan = nan || is_nan_bits(bits_of(src[i]));
    dst[i] = format(src[i], kStochastic ? random_word(job.random, first + uint64_t(i)) : 0);
  }
  if (nan) job.report.tell();
}

template <bool kStochastic, class Format>
void trim_with(Context& context, const TrimArguments& a, const Format& format) {
  const TrimJob job{a.src.f32(), a.dst.f32(), spans_of(a.src, a.dst), a.random, context.nan_report()};
  if (job.spans.images == 0 || job.spans.count == 0) return;
  const bool vectors = aligned16(a.src, a.dst, job.spans) && a.random.first_element % 4 == 0 &&
                       (job.spans.images == 1 || job.spans.count % 4 == 0);
  const int64_t per_block = vectors ? int64_t{kThreads} * kInFlight * 4 : kThreads;
  const Grid grid = span_grid(context, job.spans, per_block);
  if (vectors)
    launch(context, "trim_vectors", grid, kThreads, 0, trim_vectors<Format, kStochastic>, job, format);
  else
    launch(context, "trim_elements", grid, kThreads, 0, trim_elements<Format, kStochastic>, job, format);
}

template <class Format>
void trim_to(Context& context, const TrimArguments& a, const Format& format) {
  if (a.format.rounding == Rounding::stochastic)
    trim_with<true>(context, a, format);
  else
    trim_with<false>(context, a, format);
}

}  // namespace

bool run(Context& context, const TrimArguments& a) {
  switch (a.format.kind) {
    case FormatKind::none:
      trim_with<false>(context, a, Copy{});
      return true;
    case FormatKind::dynamic_fixed_point:
      trim_to(context, a, ToFixedPoint{dynamic_fixed_point(a.format)});
      return true;
    case FormatKind::minifloat:
      trim_to(context, a, ToMinifloat{minifloat(a.format)});
      return true;
    case FormatKind::integer_power_of_two:
      trim_to(context, a, ToPowerOfTwo{power_of_two(a.format)});
      return true;
  }
  return false;
}

}  // namespace ristretto::cuda

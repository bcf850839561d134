#include "range.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../cpu/span_kernels.h"
#include "../../format/dynamic_fixed_point.h"
#include "../../format/minifloat.h"
#include "../../format/power_of_two.h"
#include "../spans.h"
#include "trim.h"

namespace ristretto {
namespace {

constexpr int kExtremes = 3, kCounts = 3, kExponents = 256;

// What one worker has seen.
struct Seen {
  float least = std::numeric_limits<float>::infinity();
  float greatest = -std::numeric_limits<float>::infinity();
  int64_t nans = 0, infinities = 0, saturated = 0;
  std::vector<int64_t> exponents;
};

void count_exponents(const float* in, int64_t count, int64_t* counts) {
  // Four tables: equal neighbours do not wait for one another's count.
  std::vector<int64_t> table(4 * kExponents);
  for (int64_t i = 0; i < count; ++i)
    ++table[size_t((i & 3) * kExponents + ((bits_of(in[i]) & FloatBits::kMagnitude) >> 23))];
  for (int e = 0; e < kExponents; ++e)
    counts[e] += table[size_t(e)] + table[size_t(kExponents + e)] + table[size_t(2 * kExponents + e)] +
                 table[size_t(3 * kExponents + e)];
}

void see(Seen& seen, const float* in, int64_t count, const SpanKernels& kernels, const RangeArguments& a,
         const UnsaturatedRange& unsaturated) {
  const SpanExtremes extremes =
      a.counts && a.format
          ? kernels.extremes_outside(in, count, unsaturated.low, unsaturated.high, &seen.saturated)
          : kernels.extremes(in, count);
  seen.least = std::min(seen.least, extremes.least);
  seen.greatest = std::max(seen.greatest, extremes.greatest);
  if (a.counts) {
    // NaNs and infinities are rare: counted only where the first look met them.
    if (!extremes.numbers)
      for (int64_t i = 0; i < count; ++i) seen.nans += is_nan_bits(bits_of(in[i]));
    if (std::isinf(extremes.least) || std::isinf(extremes.greatest))
      for (int64_t i = 0; i < count; ++i) seen.infinities += std::isinf(in[i]);
  }
  if (a.exponents) count_exponents(in, count, seen.exponents.data());
}

void run_with(Context& context, const RangeArguments& a, const SpanKernels& kernels) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const UnsaturatedRange unsaturated =
      a.format && a.counts ? unsaturated_range(a.format) : UnsaturatedRange{-infinity, infinity};
  std::vector<Seen> workers(size_t(context.pool.threads()));
  if (a.exponents)
    for (Seen& seen : workers) seen.exponents.resize(kExponents);
  // Pieces that stay in the first-level cache for the second look.
  constexpr int64_t piece = 4096;
  for_each_span(context, a.src, a.src.contiguous(),
                [&](int64_t image, int64_t offset, int64_t, int64_t count, int worker) {
                  const float* in = a.src.image(image) + offset;
                  const int64_t step = a.counts || a.exponents ? piece : count;
                  for (int64_t i = 0; i < count; i += step)
                    see(workers[size_t(worker)], in + i, std::min(step, count - i), kernels, a, unsaturated);
                });
  Seen all;
  all.exponents.resize(kExponents);
  for (const Seen& seen : workers) {
    all.least = std::min(all.least, seen.least);
    all.greatest = std::max(all.greatest, seen.greatest);
    all.nans += seen.nans;
    all.infinities += seen.infinities;
    all.saturated += seen.saturated;
    for (size_t e = 0; e < seen.exponents.size(); ++e) all.exponents[e] += seen.exponents[e];
  }
  float* extremes = a.extremes.f32();
  const bool add = a.accumulate;
  extremes[0] = add ? std::min(extremes[0], all.least) : all.least;
  extremes[1] = add ? std::max(extremes[1], all.greatest) : all.greatest;
  const float magnitude =
      all.least > all.greatest ? 0 : std::max(std::fabs(all.least), std::fabs(all.greatest));
  extremes[2] = add ? std::max(extremes[2], magnitude) : magnitude;
  const auto put = [add](int32_t& to, int64_t count) {
    to = int32_t(std::min<int64_t>((add ? to : 0) + count, std::numeric_limits<int32_t>::max()));
  };
  if (a.counts) {
    int32_t* counts = static_cast<int32_t*>(a.counts.data);
    put(counts[0], all.nans);
    put(counts[1], all.infinities);
    put(counts[2], all.saturated);
  }
  if (a.exponents)
    for (int e = 0; e < kExponents; ++e)
      put(static_cast<int32_t*>(a.exponents.data)[e], all.exponents[size_t(e)]);
}

// Whether the magnitude rounds to something beyond the format's range: the format without its upper limit,
// and what comes out is compared with the limit.
bool saturates(float x, const TrimFormat& format) {
  switch (format.kind) {
    case FormatKind::dynamic_fixed_point: {
      const DynamicFixedPoint limited = dynamic_fixed_point(format);
      DynamicFixedPoint wide = limited;
      wide.low = -(int64_t{1} << 62);
      wide.high = int64_t{1} << 62;
      const int64_t code = dynamic_fixed_point_code(x, wide, 0);
      return code < limited.low || code > limited.high;
    }
    case FormatKind::minifloat: {
      const Minifloat limited = minifloat(format);
      Minifloat wide = limited;
      wide.largest = FloatBits::kInfinity;
      return (bits_of(minifloat_trim(x, wide, 0)) & FloatBits::kMagnitude) > limited.largest;
    }
    case FormatKind::integer_power_of_two: {
      PowerOfTwo wide = power_of_two(format);
      wide.exponent_max = 128;
      return (bits_of(power_of_two_trim(x, wide, 0)) & FloatBits::kMagnitude) >
             bits_of(power_of_two_float(format.exponent_max));
    }
    case FormatKind::none:
      break;
  }
  return false;
}

// The largest magnitude of this sign that is not saturated; saturates() is monotone, so bisect float32's
// bits.
float last_unsaturated(const TrimFormat& format, uint32_t sign) {
  uint32_t good = 0, bad = FloatBits::kInfinity + 1;
  while (bad - good > 1) {
    const uint32_t middle = good + (bad - good) / 2;
    (saturates(float_of(sign | middle), format) ? bad : good) = middle;
  }
  return float_of(sign | good);
}

}  // namespace

UnsaturatedRange unsaturated_range(const TrimFormat& given) {
  TrimFormat format = given;
  if (format.rounding == Rounding::stochastic) format.rounding = Rounding::half_away_from_zero;
  return {last_unsaturated(format, FloatBits::kSign), last_unsaturated(format, 0)};
}

void Range::check(const Arguments& a) {
  const auto result = [](const char* name, const Tensor& t, DataType type, int64_t count) {
    require(t.type == type && t.count() == count && t.contiguous(), name, " must hold ", count,
            type == DataType::f32 ? " float32" : " int32");
  };
  require(a.src.type == DataType::f32, "src must be float32");
  result("extremes", a.extremes, DataType::f32, kExtremes);
  if (a.counts) result("counts", a.counts, DataType::i32, kCounts);
  if (a.exponents) result("exponents", a.exponents, DataType::i32, kExponents);
  check_trim_format(a.format);
}

void Range::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

const std::vector<KernelRow<RangeArguments>>& Range::rows() {
  static const std::vector<KernelRow<RangeArguments>> rows = {
      {"spans", [](const Arguments&, const CpuFeatures&) { return true; },
       [](Context& context, const Arguments& a) { run_with(context, a, span_kernels(context.features)); }},
      {"_ref", [](const Arguments&, const CpuFeatures&) { return true; },
       [](Context& context, const Arguments& a) { run_with(context, a, kSpanKernelsRef); }},
  };
  return rows;
}

}  // namespace ristretto

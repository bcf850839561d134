// Also run through SIMDe.
#include "core/op/trim/range.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "check.h"
#include "core/format/float_bits.h"
#include "core/op/trim/trim.h"

using namespace ristretto;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Results {
  float extremes[3] = {};
  int32_t counts[3] = {}, exponents[256] = {};

  RangeArguments arguments(const Tensor& src) {
    RangeArguments a;
    a.src = src;
    a.extremes = Tensor::of(extremes, {3});
    a.counts = of(counts, 3);
    a.exponents = of(exponents, 256);
    return a;
  }
  static Tensor of(int32_t* data, int64_t count) {
    Tensor t = Tensor::of(nullptr, {count});
    t.data = data;
    t.type = DataType::i32;
    return t;
  }
  bool operator==(const Results& other) const { return std::memcmp(this, &other, sizeof other) == 0; }
};

// Numbers of all sizes.
guarded::vector<float> numbers(size_t count, uint64_t seed) {
  guarded::vector<float> values(count);
  for (float& x : values) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    x = float_of(uint32_t(seed >> 32));
    if (std::isnan(x) || std::isinf(x)) x = 1;
  }
  return values;
}

TrimFormat fixed(int bit_width, int fractional_length, Rounding rounding = Rounding::half_away_from_zero) {
  TrimFormat f;
  f.kind = FormatKind::dynamic_fixed_point;
  f.bit_width = bit_width;
  f.fractional_length = fractional_length;
  f.rounding = rounding;
  return f;
}

}  // namespace

TEST(every_kernel_sees_what_stands_there) {
  guarded::vector<float> data = numbers(70001, 3);
  for (float& x : data) x = std::fmod(x, 50.0f);
  data[123] = -77.5f;
  data[45678] = 76.25f;
  data[60000] = std::nanf("");
  data[60001] = std::nanf("");
  int saturated = 0, exponents[256] = {};
  for (float x : data) {
    saturated += x <= -16.0625f || x >= 15.9375f;  // half a unit of 1/8 beyond -16 and 15.875
    ++exponents[(bits_of(x) & FloatBits::kMagnitude) >> 23];
  }
  std::vector<CpuFeatures> levels = {CpuFeatures{}, detect_cpu_features()};
  if (levels[1].avx512) {  // AVX2 on its own, too
    levels.push_back(levels[1]);
    levels.back().avx512 = false;
  }
  for (const CpuFeatures& features : levels) {
    Context context(&features == &levels[0] ? 1 : 2, features);
    for (const auto& row : Range::rows()) {
      Results results;
      RangeArguments a = results.arguments(Tensor::of(data.data(), {int64_t(data.size())}));
      if (!row.supports(a, context.features)) continue;
      a.format = fixed(8, 3);
      Range::check(a);
      row.run(context, a);
      CHECK_EQUAL(results.extremes[0], -77.5f, row.name);
      CHECK_EQUAL(results.extremes[1], 76.25f, row.name);
      CHECK_EQUAL(results.extremes[2], 77.5f, row.name);
      CHECK_EQUAL(results.counts[0], 2, row.name);
      CHECK_EQUAL(results.counts[1], 0, row.name);
      CHECK_EQUAL(results.counts[2], saturated, row.name);
      for (int e = 0; e < 256; ++e)
        CHECK_EQUAL(results.exponents[e], exponents[e], row.name, " exponent ", e);
    }
  }
}

static void find_an_extreme_in_every_place(const CpuFeatures& features) {
  Context context(1, features);
  for (size_t size = 1; size < 100; ++size)
    for (size_t at = 0; at < size; ++at) {
      guarded::vector<float> data(size, 0.5f);
      data[at] = at % 2 ? 9.0f : -9.0f;
      if (size > 1) data[(at + 1) % size] = std::nanf("");
      Results results;
      RangeArguments a = results.arguments(Tensor::of(data.data(), {int64_t(size)}));
      Range::run(context, a);
      CHECK_EQUAL(results.extremes[2], 9.0f, "size ", size, " at ", at);
      CHECK_EQUAL(results.extremes[at % 2], at % 2 ? 9.0f : -9.0f, "size ", size, " at ", at);
      CHECK_EQUAL(results.counts[0], size > 1 ? 1 : 0, "size ", size, " at ", at);
    }
}

TEST(an_extreme_is_found_in_every_place) {
  find_an_extreme_in_every_place(CpuFeatures{});
  find_an_extreme_in_every_place(detect_cpu_features());
}

TEST(nothing_infinities_and_nan_alone) {
  Context context(1, detect_cpu_features());
  const auto look = [&](guarded::vector<float> data) {
    Results results;
    data.reserve(1);
    Range::run(context, results.arguments(Tensor::of(data.data(), {int64_t(data.size())})));
    return results;
  };
  for (const Results& r : {look({}), look({std::nanf("")})}) {
    CHECK_EQUAL(r.extremes[0], kInfinity);
    CHECK_EQUAL(r.extremes[1], -kInfinity);
    CHECK_EQUAL(r.extremes[2], 0.0f);
  }
  const Results r = look({1, -kInfinity, 2});
  CHECK_EQUAL(r.extremes[2], kInfinity);
  CHECK_EQUAL(r.counts[1], 1);
}

TEST(channel_slices_and_accumulation) {
  guarded::vector<float> data = numbers(40, 9);
  data[7] = 3e38f;  // between the images
  Tensor src = Tensor::of(data.data(), {4, 2, 3});
  src.image_stride = 10;
  guarded::vector<float> dense;
  for (int n = 0; n < 4; ++n) dense.insert(dense.end(), src.image(n), src.image(n) + 6);
  Context context(2, detect_cpu_features());
  Results strided, whole, parts;
  Range::run(context, strided.arguments(src));
  Range::run(context, whole.arguments(Tensor::of(dense.data(), {24})));
  CHECK(strided == whole);
  for (int part = 0; part < 3; ++part) {
    RangeArguments a = parts.arguments(Tensor::of(dense.data() + part * 8, {8}));
    a.accumulate = part > 0;
    Range::run(context, a);
  }
  CHECK(parts == whole);
  parts.counts[0] = std::numeric_limits<int32_t>::max();
  const float nan = std::nanf("");
  RangeArguments a = parts.arguments(Tensor::of(const_cast<float*>(&nan), {1}));
  a.accumulate = true;
  Range::run(context, a);
  CHECK_EQUAL(parts.counts[0], std::numeric_limits<int32_t>::max());
}

// The bounds are where a trim begins to clamp: the next float beyond is rounded past the limit.
TEST(saturation_begins_where_the_format_says) {
  const UnsaturatedRange away = unsaturated_range(fixed(8, 0));
  CHECK_EQUAL(away.high, std::nextafter(127.5f, 0.0f));
  CHECK_EQUAL(away.low, std::nextafter(-128.5f, 0.0f));
  const UnsaturatedRange even = unsaturated_range(fixed(8, 0, Rounding::half_to_even));
  CHECK_EQUAL(even.high, std::nextafter(127.5f, 0.0f));
  CHECK_EQUAL(even.low, -128.5f);
  const UnsaturatedRange floor = unsaturated_range(fixed(8, 0, Rounding::floor));
  CHECK_EQUAL(floor.high, std::nextafter(128.0f, 0.0f));
  CHECK_EQUAL(floor.low, -128.0f);
  const UnsaturatedRange one_bit = unsaturated_range(fixed(1, 0));
  CHECK_EQUAL(one_bit.high, std::nextafter(0.5f, 0.0f));
  CHECK_EQUAL(one_bit.low, std::nextafter(-1.5f, 0.0f));
  const UnsaturatedRange wide = unsaturated_range(fixed(32, 0));
  CHECK_EQUAL(wide.high, std::nextafter(0x1p31f, 0.0f));
  CHECK_EQUAL(wide.low, -0x1p31f);
  TrimFormat format;
  format.kind = FormatKind::minifloat;
  format.mantissa_bits = 3;
  format.exponent_bits = 4;
  CHECK_EQUAL(unsaturated_range(format).high, std::nextafter(496.0f, 0.0f));
  CHECK_EQUAL(unsaturated_range(format).low, -std::nextafter(496.0f, 0.0f));
  format.kind = FormatKind::integer_power_of_two;
  format.exponent_min = -8;
  format.exponent_max = -1;
  CHECK_EQUAL(unsaturated_range(format).high, 0.5f * 1.41421354f);
}

TEST(results_of_the_wrong_kind_are_refused) {
  float data[2] = {1, 2};
  Results results;
  const RangeArguments good = results.arguments(Tensor::of(data, {2}));
  const auto refused = [](const RangeArguments& a) {
    try {
      Range::check(a);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK(!refused(good));
  RangeArguments a = good;
  a.extremes = Tensor::of(data, {2});
  CHECK(refused(a));
  a = good;
  a.counts.type = DataType::f32;
  CHECK(refused(a));
  a = good;
  a.exponents.dim[0] = 255;
  CHECK(refused(a));
  a = good;
  a.format = fixed(99, 0);
  CHECK(refused(a));
}

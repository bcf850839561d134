// Also run through SIMDe.
#include "core/op/trim/trim.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "check.h"
#include "core/cpu/span_kernels.h"
#include "core/format/dynamic_fixed_point.h"
#include "core/format/minifloat.h"
#include "core/format/power_of_two.h"

using namespace ristretto;

namespace {

constexpr Rounding kRoundings[] = {Rounding::half_away_from_zero, Rounding::half_to_even, Rounding::half_up,
                                   Rounding::floor, Rounding::stochastic};

TrimFormat fixed(int bit_width, int fractional_length, Rounding rounding = Rounding::half_away_from_zero) {
  TrimFormat f;
  f.kind = FormatKind::dynamic_fixed_point;
  f.bit_width = bit_width;
  f.fractional_length = fractional_length;
  f.rounding = rounding;
  return f;
}
TrimFormat mini(int mantissa_bits, int exponent_bits, Rounding rounding = Rounding::half_away_from_zero) {
  TrimFormat f;
  f.kind = FormatKind::minifloat;
  f.mantissa_bits = mantissa_bits;
  f.exponent_bits = exponent_bits;
  f.rounding = rounding;
  return f;
}
TrimFormat power(int least, int greatest, Rounding rounding = Rounding::half_away_from_zero) {
  TrimFormat f;
  f.kind = FormatKind::integer_power_of_two;
  f.exponent_min = least;
  f.exponent_max = greatest;
  f.rounding = rounding;
  return f;
}

std::string describe(const TrimFormat& f) {
  const std::string rounding = " rounding " + std::to_string(int(f.rounding));
  if (f.kind == FormatKind::dynamic_fixed_point)
    return check::text("fixed(", f.bit_width, ", ", f.fractional_length, ")", rounding);
  if (f.kind == FormatKind::minifloat)
    return check::text("minifloat(m", f.mantissa_bits, ", e", f.exponent_bits, ")", rounding);
  return check::text("power(", f.exponent_min, "..", f.exponent_max, ")", rounding);
}

float trim_one(float x, const TrimFormat& format, const RandomStream& random = {}) {
  float y;
  trim_span_ref(&x, &y, 1, format, random);
  return y;
}

guarded::vector<float> read_floats(const std::string& path) {
  guarded::vector<float> values;
  FILE* file = std::fopen(path.c_str(), "rb");
  CHECK(file, path);
  float buffer[4096];
  while (size_t n = std::fread(buffer, sizeof(float), 4096, file))
    values.insert(values.end(), buffer, buffer + n);
  std::fclose(file);
  return values;
}

// Every class of float32: for each exponent both signs of the mantissas where something happens and of random
// ones, zeros, denormals, infinities, NaNs.
guarded::vector<float> interesting_floats(int random_per_exponent) {
  guarded::vector<float> values;
  uint64_t state = 0x9E3779B97F4A7C15u;
  const auto add = [&](uint32_t bits) {
    values.push_back(float_of(bits));
    values.push_back(float_of(bits | FloatBits::kSign));
  };
  for (uint32_t exponent = 0; exponent < 256; ++exponent) {
    for (uint32_t mantissa :
         {0x0u, 0x1u, 0x2u, 0x7FFFFFu, 0x7FFFFEu, 0x400000u, 0x400001u, 0x3FFFFFu, 0x3504F3u, 0x3504F4u})
      add(exponent << 23 | mantissa);
    // Ties and their neighbours for every number of kept bits.
    for (int bit = 0; bit < 23; ++bit)
      for (uint32_t above : {0u, 1u, 0x7FFFFFu})
        add(exponent << 23 | (((above << (bit + 1)) & 0x7FFFFFu) | 1u << bit));
    for (int i = 0; i < random_per_exponent; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      add(exponent << 23 | uint32_t(state >> 41));
    }
  }
  return values;
}

bool same_bits(float a, float b) {
  return bits_of(a) == bits_of(b) || (is_nan_bits(bits_of(a)) && is_nan_bits(bits_of(b)));
}

std::vector<const SpanKernels*> kernels_here() {
  std::vector<const SpanKernels*> all = {&kPortableSpanKernels};
#if defined(__x86_64__)
  const CpuFeatures features = detect_cpu_features();
  if (features.avx2) all.push_back(&kAvx2SpanKernels);
  if (features.avx512) all.push_back(&kAvx512SpanKernels);
#endif
  return all;
}

void check_kernels(const guarded::vector<float>& in, const TrimFormat& format) {
  const RandomStream random = {0x0123456789ABCDEFu, 99, 3, 0xFFFFFFF0u * 4 + 1};  // crosses 2^32 groups
  const int64_t count = int64_t(in.size());
  guarded::vector<float> expected(in.size()), actual(in.size());
  const bool numbers = trim_span_ref(in.data(), expected.data(), count, format, random);
  for (const SpanKernels* kernels : kernels_here()) {
    if (format.kind == FormatKind::integer_power_of_two && format.rounding == Rounding::stochastic) continue;
    CHECK_EQUAL(kernels->trim(in.data(), actual.data(), count, format, random), numbers, describe(format));
    for (size_t i = 0; i < in.size(); ++i)
      CHECK(same_bits(actual[i], expected[i]), kernels->name, " ", describe(format), " of ", in[i], " (bits ",
            bits_of(in[i]), "): ", actual[i], ", expected ", expected[i]);
  }
}

// Dynamic fixed point as the page says it, in double.
double fixed_in_double(float x, const TrimFormat& f) {
  const double limit = std::ldexp(1.0, f.bit_width - 1);
  const double y = std::ldexp(double(x), f.fractional_length);
  double code = 0;
  switch (f.rounding) {
    case Rounding::half_away_from_zero:
      code = std::round(y);
      break;
    case Rounding::half_to_even:
      code = std::nearbyint(y);
      break;
    case Rounding::half_up:
      code = std::floor(y) + (y - std::floor(y) >= 0.5 ? 1 : 0);
      break;
    default:
      code = std::floor(y);
      break;
  }
  return std::ldexp(std::min(std::max(code, -limit), limit - 1), -f.fractional_length);
}

}  // namespace

// The reference's values are equal but for what the page decides otherwise: carries out of the top exponent
// saturate, and so does what exceeds float32 where the format has eight exponent bits.
TEST(agrees_with_the_original) {
  const std::string folder = check::reference_folder() + "/reference/trim/";
  const guarded::vector<float> in = read_floats(folder + "in.f32");
  CHECK_EQUAL(in.size(), 14002u);
  FILE* file = std::fopen((folder + "index.json").c_str(), "rb");
  CHECK(file);
  std::string text(1 << 16, 0);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  int files = 0, carries = 0, beyond_float = 0;
  for (size_t at = text.find("\"file\": \""); at != std::string::npos;
       at = text.find("\"file\": \"", at + 1)) {
    const auto after = [&](const char* key) { return text.c_str() + text.find(key, at) + std::strlen(key); };
    const char* name = after("\"file\": \"");
    const std::string path(name, std::strchr(name, '"')), format_name(after("\"format\": \""), 10);
    const int a = std::atoi(after("\"a\":")), b = std::atoi(after("\"b\":"));
    const TrimFormat format = format_name == "dynamic_fi"    ? fixed(a, b)
                              : format_name == "minifloat\"" ? mini(a, b)
                                                             : power(a, b);
    const guarded::vector<float> expected = read_floats(folder + path);
    CHECK_EQUAL(expected.size(), in.size(), path);
    for (size_t i = 0; i < in.size(); ++i) {
      const float actual = trim_one(in[i], format);
      if (actual == expected[i]) continue;
      CHECK(format.kind == FormatKind::minifloat, path, " of ", in[i], ": ", actual, ", expected ",
            expected[i]);
      const float largest = std::copysign(float_of(minifloat(format).largest), in[i]);
      CHECK_EQUAL(actual, largest, path, " of ", in[i]);
      if (std::isinf(expected[i])) {
        CHECK_EQUAL(b, 8, path);
        ++beyond_float;
      } else {
        // One step past the largest: 480 -> 512 with m3 e4, 114688 -> 131072 with m2 e5.
        CHECK((a == 3 && b == 4 && std::fabs(expected[i]) == 512 && std::fabs(actual) == 480) ||
                  (a == 2 && b == 5 && std::fabs(expected[i]) == 131072 && std::fabs(actual) == 114688),
              path, " of ", in[i], ": ", actual, ", expected ", expected[i]);
        ++carries;
      }
    }
    ++files;
  }
  CHECK_EQUAL(files, 72);
  CHECK_EQUAL(carries, 12);
  CHECK_EQUAL(beyond_float, 6);
}

TEST(rounding_rules_at_their_ties) {
  struct Row {
    Rounding rounding;
    float expected[6];
  };
  const float in[6] = {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f};
  const Row rows[] = {{Rounding::half_away_from_zero, {-3, -2, -1, 1, 2, 3}},
                      {Rounding::half_to_even, {-2, -2, 0, 0, 2, 2}},
                      {Rounding::half_up, {-2, -1, 0, 1, 2, 3}},
                      {Rounding::floor, {-3, -2, -1, 0, 1, 2}}};
  for (const Row& row : rows)
    for (int i = 0; i < 6; ++i) {
      CHECK_EQUAL(trim_one(in[i], fixed(8, 0, row.rounding)), row.expected[i],
                  describe(fixed(8, 0, row.rounding)));
      // The same ties in a minifloat whose unit in this range is 1: 3 mantissa bits between 8 and 16.
      const float shifted = in[i] < 0 ? in[i] - 8 : in[i] + 8;
      const float even = row.expected[i] + (in[i] < 0 ? -8 : 8);
      CHECK_EQUAL(trim_one(shifted, mini(3, 5, row.rounding)), even, describe(mini(3, 5, row.rounding)));
    }
}

TEST(dynamic_fixed_point_at_its_edges) {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK_EQUAL(trim_one(infinity, fixed(8, 0)), 127.0f);
  CHECK_EQUAL(trim_one(-infinity, fixed(8, 0)), -128.0f);
  CHECK_EQUAL(trim_one(5.0f, fixed(1, 0)), 0.0f);
  CHECK_EQUAL(trim_one(-5.0f, fixed(1, 0)), -1.0f);
  CHECK_EQUAL(trim_one(1000.0f, fixed(8, -4)), 63.0f * 16);
  CHECK_EQUAL(trim_one(1.0f, fixed(4, 10)), 7.0f / 1024);
  CHECK_EQUAL(trim_one(40000.0f, fixed(32, 16)), 32768.0f);  // 2^31 - 1, rounded to float32
  CHECK(!std::signbit(trim_one(-0.25f, fixed(8, 0))), "code 0 is +0");
  CHECK(!std::signbit(trim_one(-0.0f, fixed(8, 0))), "code 0 is +0");
  CHECK(std::isnan(trim_one(std::nanf(""), fixed(8, 0))));
  // The least fractional length: codes 4 and up have no finite float32 value.
  CHECK_EQUAL(trim_one(std::numeric_limits<float>::max(), fixed(8, -126)), std::ldexp(3.0f, 126));
  CHECK_EQUAL(trim_one(-infinity, fixed(8, -126)), std::ldexp(-3.0f, 126));
  CHECK_EQUAL(trim_one(infinity, fixed(32, -97)), std::numeric_limits<float>::max());
}

// Whatever the widths, the integer definition is the page's formula in double.
TEST(dynamic_fixed_point_is_the_formula_in_double) {
  const guarded::vector<float> in = interesting_floats(2);
  for (Rounding rounding : kRoundings) {
    if (rounding == Rounding::stochastic) continue;
    for (int bit_width : {1, 2, 8, 16, 23, 24, 25, 26, 31, 32})
      for (int fractional_length : {-96, -40, -9, -1, 0, 1, 7, 16, 31, 60, 126}) {
        const TrimFormat format = fixed(bit_width, fractional_length, rounding);
        const DynamicFixedPoint parameters = dynamic_fixed_point(format);
        for (float x : in) {
          if (std::isnan(x)) continue;
          const float actual = dynamic_fixed_point_trim(x, parameters, 0);
          CHECK(actual == float(fixed_in_double(x, format)), describe(format), " of ", x, ": ", actual);
        }
      }
  }
}

TEST(minifloat_at_its_edges) {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK_EQUAL(trim_one(504.0f, mini(3, 4)), 480.0f);
  CHECK_EQUAL(trim_one(65536.0f, mini(3, 4)), 480.0f);
  CHECK_EQUAL(trim_one(-infinity, mini(3, 4)), -480.0f);
  CHECK_EQUAL(trim_one(0x1p-7f, mini(3, 4)), 0x1p-7f);  // exponent code 0 is an ordinary one
  CHECK_EQUAL(trim_one(0x1.fffffep-8f, mini(3, 4)), 0.0f);
  CHECK(!std::signbit(trim_one(-0x1.fffffep-8f, mini(3, 4))));
  CHECK_EQUAL(trim_one(1e-40f, mini(23, 8)), 0.0f);
  CHECK_EQUAL(trim_one(infinity, mini(23, 8)), std::numeric_limits<float>::max());
  CHECK_EQUAL(trim_one(std::numeric_limits<float>::max(), mini(7, 8)), 0x1.fep127f);
  CHECK_EQUAL(trim_one(3.0f, mini(0, 4)), 4.0f);
  CHECK_EQUAL(trim_one(3.0f, mini(0, 4, Rounding::half_to_even)), 2.0f);  // mantissa 0 is the even one
  CHECK_EQUAL(trim_one(1000.0f, mini(27, 4)), 512.0f);  // (2 - 2^-27) * 2^8, rounded to float32
  CHECK(std::isnan(trim_one(std::nanf(""), mini(3, 4))));
}

TEST(power_of_two_at_its_edges) {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK_EQUAL(trim_one(0.0f, power(-8, -1)), 0x1p-8f);
  CHECK_EQUAL(trim_one(-0.0f, power(-8, -1)), 0x1p-8f);
  CHECK_EQUAL(trim_one(-1e-30f, power(-8, -1)), -0x1p-8f);
  CHECK_EQUAL(trim_one(infinity, power(-8, -1)), 0.5f);
  CHECK_EQUAL(trim_one(1.41421354f, power(-8, 3)), 1.0f);
  CHECK_EQUAL(trim_one(1.41421366f, power(-8, 3)), 2.0f);
  CHECK_EQUAL(trim_one(1.9999999f, power(-8, 3, Rounding::floor)), 1.0f);
  CHECK(std::isnan(trim_one(std::nanf(""), power(-8, -1))));
}

TEST(log2_fraction_is_the_logarithm) {
  for (uint32_t mantissa : {0u, 1u, 0x3504F3u, 0x3504F4u, 0x400000u, 0x7FFFFFu, 123456u, 7654321u}) {
    const long double exact = std::log2(1.0L + std::ldexp((long double)mantissa, -23)) * 0x1p32L;
    CHECK_EQUAL(log2_fraction(mantissa), uint32_t(exact), mantissa);
  }
}

// Bit for bit, over every class of float32, every width and rounding; in float32 arithmetic at any bit width.
TEST(kernels_equal_the_definition) {
  const guarded::vector<float> in = interesting_floats(3);
  for (Rounding rounding : kRoundings) {
    for (int bit_width : {1, 2, 3, 8, 16, 23, 24, 25, 26, 27, 31, 32})
      for (int fractional_length : {-126, -125, -104, -97, -96, -64, -23, -9, -1, 0, 1, 8, 16, 40, 125, 126})
        check_kernels(in, fixed(bit_width, fractional_length, rounding));
    for (int mantissa_bits : {0, 1, 2, 3, 7, 10, 21, 22, 23, 24, 27, 31})
      for (int exponent_bits = 1; exponent_bits <= 8; ++exponent_bits)
        check_kernels(in, mini(mantissa_bits, exponent_bits, rounding));
    check_kernels(in, power(-8, -1, rounding));
    check_kernels(in, power(-126, 127, rounding));
    check_kernels(in, power(-4, 3, rounding));
  }
}

TEST(kernels_equal_the_definition_for_every_bit_width_and_fractional_length) {
  guarded::vector<float> in;
  for (float x : interesting_floats(0))
    if (in.size() < 997) in.push_back(x);
  uint64_t state = 1;
  for (float& x : in) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = float_of(uint32_t(state >> 32));
  }
  for (Rounding rounding : {Rounding::half_away_from_zero, Rounding::half_to_even})
    for (int bit_width = 1; bit_width <= 32; ++bit_width)
      for (int fractional_length = -126; fractional_length <= 126; fractional_length += 3) {
        // The span's scale puts half of the random numbers near the codes.
        for (size_t i = 0; i < in.size(); i += 2)
          in[i] = float_of((bits_of(in[i]) & 0x807FFFFFu) |
                           uint32_t(std::clamp(127 - fractional_length + int(i / 2 % 34) - 1, 0, 254)) << 23);
        check_kernels(in, fixed(bit_width, fractional_length, rounding));
      }
}

TEST(spans_of_any_length_and_alignment_in_place) {
  for (const TrimFormat& format : {fixed(8, 4), fixed(8, 4, Rounding::stochastic), mini(3, 4), power(-3, 2)})
    for (int64_t first = 0; first < 5; ++first)
      for (int64_t count = 0; count < 130; ++count) {
        const RandomStream random = {5, 6, 7, uint64_t(first) + 3};
        guarded::vector<float> in(size_t(first + count));
        for (size_t i = 0; i < in.size(); ++i) in[i] = std::sin(float(i)) * 9;
        guarded::vector<float> expected = in;
        trim_span_ref(in.data() + first, expected.data() + first, count, format, random);
        for (const SpanKernels* kernels : kernels_here()) {
          guarded::vector<float> actual = in;
          kernels->trim(actual.data() + first, actual.data() + first, count, format, random);
          CHECK(actual == expected, kernels->name, " ", describe(format), " first ", first, " count ", count);
        }
      }
}

TEST(stochastic_trims_do_not_depend_on_the_split) {
  guarded::vector<float> in(5000), whole(5000), parts(5000);
  for (size_t i = 0; i < in.size(); ++i) in[i] = std::sin(float(i)) * 3;
  const CpuFeatures features = detect_cpu_features();
  for (const TrimFormat& format : {fixed(8, 4, Rounding::stochastic), mini(3, 4, Rounding::stochastic),
                                   power(-3, 2, Rounding::stochastic)}) {
    RandomStream random = {77, 1, 2, 10};
    trim_span(in.data(), whole.data(), 5000, format, random, features);
    int64_t at = 0;
    for (int64_t step = 1; at < 5000; step = step * 3 % 101 + 1) {
      const int64_t count = std::min<int64_t>(step, 5000 - at);
      random.first_element = 10 + uint64_t(at);
      trim_span(in.data() + at, parts.data() + at, count, format, random, features);
      at += count;
    }
    CHECK(whole == parts, describe(format));
    random.first_element = 10;
    random.step = 3;
    trim_span(in.data(), parts.data(), 5000, format, random, features);
    CHECK(whole != parts, "another step draws other numbers");
  }
}

TEST(stochastic_rounding_is_unbiased_and_leaves_exact_values) {
  const CpuFeatures features = detect_cpu_features();
  const int n = 1 << 18;
  guarded::vector<float> in(n), out(n);
  const RandomStream random = {2024, 5, 0, 0};
  // P(up) = f for fixed point: z-scores of the counts, positive and negative.
  for (float f : {0.0f, 0.001f, 0.25f, 0.5f, 0.9f, 0.999f})
    for (float sign : {1.0f, -1.0f}) {
      std::fill(in.begin(), in.end(), sign * (3 + f));
      trim_span(in.data(), out.data(), n, fixed(8, 0, Rounding::stochastic), random, features);
      double up = 0;
      for (float y : out) {
        CHECK(y == sign * 3 || y == sign * 4, y);
        up += y == sign * 4;
      }
      const double p = double(std::fabs(in[0])) - 3;
      if (f == 0)
        CHECK_EQUAL(up, 0.0);
      else
        CHECK(std::fabs(up - n * p) < 4 * std::sqrt(n * p * (1 - p)), "f ", f, " up ", up);
    }
  // A power of two: P(up) is the logarithm's fraction.
  std::fill(in.begin(), in.end(), -1.2f);
  trim_span(in.data(), out.data(), n, power(-8, 7, Rounding::stochastic), random, features);
  const double p = std::log2(1.2), up = double(std::count(out.begin(), out.end(), -2.0f));
  CHECK(std::fabs(up - n * p) < 4 * std::sqrt(n * p * (1 - p)), up);
  // Representable values of each format never move.
  for (const TrimFormat& nearest : {fixed(8, 3), mini(3, 4), power(-8, 7)}) {
    for (int i = 0; i < n; ++i) in[size_t(i)] = trim_one(std::sin(float(i)) * 12, nearest);
    TrimFormat format = nearest;
    format.rounding = Rounding::stochastic;
    trim_span(in.data(), out.data(), n, format, random, features);
    CHECK(in == out, describe(format));
  }
}

// 2^28 draws, as many for each of 2^14 fractions. The words are fixed, so this cannot fail by chance later.
TEST(the_chance_of_rounding_up_is_the_fraction) {
  const CpuFeatures features = detect_cpu_features();
  const int fractions = 1 << 14, draws = 1 << 14;
  guarded::vector<float> in(fractions), out(fractions), sums(fractions, 0.0f);
  const auto fraction = [](int i) { return (2 * i + 1) / double(2 * fractions); };
  for (int i = 0; i < fractions; ++i) in[size_t(i)] = float(i % 2 ? 3 + fraction(i) : -3 - fraction(i));
  RandomStream random = {0x123456789abcdefu, fnv1a("conv1/weights", 13), 9, 0};
  for (int draw = 0; draw < draws; ++draw) {
    trim_span(in.data(), out.data(), fractions, fixed(8, 0, Rounding::stochastic), random, features);
    // Whole numbers below 2^24: float32 counts them exactly.
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += out[i];
    random.first_element += uint64_t(fractions);
  }
  double bias = 0, variance = 0, chi = 0, chi_variance = 0;
  for (int i = 0; i < fractions; ++i) {
    const double p = fraction(i), n = draws, spread = n * p * (1 - p);
    const double excess = std::fabs(double(sums[size_t(i)])) - n * (3 + p);
    bias += double(sums[size_t(i)]) - n * double(in[size_t(i)]);
    variance += spread;
    chi += excess * excess / spread;
    chi_variance += 2 + (1 - 6 * p * (1 - p)) / spread;  // of a squared, standardised binomial count
  }
  CHECK(std::fabs(bias) < 4 * std::sqrt(variance), "the mean is off by ", bias / std::sqrt(variance),
        " sigma");
  CHECK(std::fabs(chi - fractions) < 4 * std::sqrt(chi_variance), "chi-square ", chi, " of ", fractions);
}

TEST(stochastic_trims_do_not_depend_on_the_threads) {
  const int n = 200003;
  guarded::vector<float> in(n), expected(n), out(n);
  for (int i = 0; i < n; ++i) in[size_t(i)] = std::sin(float(i)) * 3;
  TrimArguments arguments;
  arguments.src = Tensor::of(in.data(), {n});
  arguments.dst = Tensor::of(out.data(), {n});
  arguments.random = {77, 1, 2, 10};
  for (const TrimFormat& format : {fixed(8, 4, Rounding::stochastic), mini(3, 4, Rounding::stochastic),
                                   power(-3, 2, Rounding::stochastic)}) {
    arguments.format = format;
    trim_span_ref(in.data(), expected.data(), n, format, arguments.random);
    for (int threads : {1, 2, 3, 7}) {
      Context context(threads, detect_cpu_features());
      std::fill(out.begin(), out.end(), -1.0f);
      Trim::run(context, arguments);
      CHECK(out == expected, describe(format), " on ", threads, " threads");
    }
  }
}

TEST(the_op_trims_channel_slices_and_refuses_nan) {
  // Images of 6 elements inside rows of 10.
  guarded::vector<float> data(30);
  for (size_t i = 0; i < data.size(); ++i) data[i] = 0.3f * float(i);
  Tensor src = Tensor::of(data.data(), {3, 2, 3});
  src.image_stride = 10;
  guarded::vector<float> out(18), expected(18);
  TrimArguments arguments;
  arguments.src = src;
  arguments.dst = Tensor::of(out.data(), {3, 2, 3});
  arguments.format = fixed(8, 2, Rounding::stochastic);
  arguments.random = {1, 2, 3, 100};
  for (int n = 0; n < 3; ++n) {
    RandomStream random = arguments.random;
    random.first_element += uint64_t(n) * 6;
    trim_span_ref(src.image(n), expected.data() + n * 6, 6, arguments.format, random);
  }
  for (int threads : {1, 2}) {
    Context context(threads, detect_cpu_features());
    for (const auto& row : Trim::rows()) {
      if (!row.supports(arguments, context.features)) continue;
      std::fill(out.begin(), out.end(), -1.0f);
      row.run(context, arguments);
      CHECK(out == expected, row.name);
    }
    data[24] = std::nanf("");
    bool refused = false;
    try {
      Trim::run(context, arguments);
    } catch (const Error&) {
      refused = true;
    }
    CHECK(refused);
    data[24] = 1;
    trim_span_ref(src.image(2), expected.data() + 12, 6, arguments.format, {1, 2, 3, 112});
  }
}

TEST(formats_beyond_their_limits_are_refused) {
  const auto refused = [](const TrimFormat& format) {
    try {
      check_trim_format(format);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  for (const TrimFormat& format :
       {fixed(0, 0), fixed(33, 0), fixed(8, 127), fixed(8, -127), mini(-1, 4), mini(32, 4), mini(3, 0),
        mini(3, 9), power(-127, 0), power(0, 128), power(1, 0)})
    CHECK(refused(format), describe(format));
  for (const TrimFormat& format : {fixed(1, -126), fixed(32, 126), mini(0, 1), mini(31, 8), power(-126, 127)})
    CHECK(!refused(format), describe(format));
}

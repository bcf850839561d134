// Convolutions and their transposes on the device, against their definitions.
#include "core/op/convolution/convolution.h"

#include <cmath>

#include "../native/float_cases.h"
#include "core/op/convolution/deconvolution.h"
#include "cuda/ops.h"
#include "device.h"
#include "rounded.h"
#include "sums.h"
#include "window_cases.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

// A random problem with its memory. Images may lie in larger ones, whose rest must stay untouched.
template <class Arguments>
struct Problem {
  Arguments a;
  guarded::vector<float> src, weights, bias, dst;
  int64_t dst_offset = 0;

  Problem(const cases::Shape& s, cases::Random& random, bool whole);
  int64_t depth() const { return a.src.dim[1] / a.group * a.weights.count(2); }
  std::string text() const { return cases::text_of(a, "dst", a.dst); }

  void place(cases::Random& random, bool whole, std::initializer_list<int64_t> src_shape,
             std::initializer_list<int64_t> weights_shape, std::initializer_list<int64_t> dst_shape) {
    a.src = Tensor::of(nullptr, src_shape);
    a.weights = Tensor::of(nullptr, weights_shape);
    a.dst = Tensor::of(nullptr, dst_shape);
    const int64_t src_gap = random.integer(0, 2) ? 0 : random.integer(1, 50);
    const int64_t dst_gap = random.integer(0, 2) ? 0 : random.integer(1, 50);
    a.src.image_stride += src_gap;
    // No slack after the last image, so that touching what lies behind it shows.
    src = random.values(a.src.images() * a.src.image_stride - src_gap, whole);
    weights = random.values(a.weights.count(), whole);
    bias = random.values(a.dst.dim[1], whole);
    dst_offset = dst_gap / 2;
    a.dst.image_stride += dst_gap;
    dst = random.values(dst_offset + a.dst.images() * a.dst.image_stride - dst_gap, whole);
    a.src.data = src.data(), a.weights.data = weights.data(), a.dst.data = dst.data() + dst_offset;
    if (random.integer(0, 3)) a.bias = Tensor::of(bias.data(), {a.dst.dim[1]});
    a.relu = random.integer(0, 1);
  }

  // All of dst's memory.
  guarded::vector<float> expected() const {
    guarded::vector<float> memory = dst;
    Arguments copy = a;
    copy.dst.data = memory.data() + dst_offset;
    ristretto::Context context(1, CpuFeatures{});
    define(context, copy);
    return memory;
  }
  guarded::vector<float> actual() const {
    const Shared<float> s(src), w(weights), b(bias), d(dst);
    Arguments copy = a;
    copy.src.data = s.data(), copy.weights.data = w.data(), copy.dst.data = d.data() + dst_offset;
    if (copy.bias) copy.bias.data = b.data();
    CHECK(cuda::run(test_context(), copy), text());
    test_context().synchronize();
    return guarded::vector<float>(d.begin(), d.end());
  }
  // The same sums over absolute values.
  guarded::vector<float> magnitude() const {
    Problem p = *this;
    p.src = cases::absolute(p.src), p.weights = cases::absolute(p.weights), p.bias = cases::absolute(p.bias);
    p.a.src.data = p.src.data(), p.a.weights.data = p.weights.data();
    if (p.a.bias) p.a.bias.data = p.bias.data();
    return p.expected();
  }

 private:
  static void define(ristretto::Context& context, const ConvolutionArguments& x) {
    convolution_ref(context, x);
  }
  static void define(ristretto::Context& context, const DeconvolutionArguments& x) {
    deconvolution_ref(context, x);
  }
};

template <>
Problem<ConvolutionArguments>::Problem(const cases::Shape& s, cases::Random& random, bool whole) {
  cases::take_windows(a, s);
  const int64_t p = (s.h + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
  const int64_t q = (s.w + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
  place(random, whole, {s.n, s.c, s.h, s.w}, {s.k, s.c / s.group, s.r, s.s}, {s.n, s.k, p, q});
}

// The shape's convolution, transposed: its output may have rows and columns that no window reaches.
template <>
Problem<DeconvolutionArguments>::Problem(const cases::Shape& s, cases::Random& random, bool whole) {
  cases::take_windows(a, s);
  const int64_t p = (s.h + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
  const int64_t q = (s.w + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
  place(random, whole, {s.n, s.c, p, q}, {s.c, s.k / s.group, s.r, s.s}, {s.n, s.k, s.h, s.w});
}

template <class Arguments>
void check_values(const Problem<Arguments>& p, bool whole, const guarded::vector<float>& actual) {
  const guarded::vector<float> expected = p.expected();
  cases::check_sums(whole, actual, expected, whole ? expected : p.magnitude(), p.text());
}

template <class Arguments>
void check_problem(const Problem<Arguments>& p, bool whole) {
  check_values(p, whole, p.actual());
}

template <class Arguments>
void check_random(uint32_t seed, int rounds) {
  cases::Random random(seed);
  for (int round = 0; round < rounds; ++round) {
    const bool whole = round % 2 == 0;
    check_problem(Problem<Arguments>(cases::random_shape(random), random, whole), whole);
  }
}

// Formats that change whole numbers of up to a few hundred.
std::vector<TrimFormat> formats() {
  std::vector<TrimFormat> all;
  for (Rounding rounding :
       {Rounding::half_away_from_zero, Rounding::half_to_even, Rounding::half_up, Rounding::stochastic}) {
    TrimFormat f;
    f.rounding = rounding;
    f.kind = FormatKind::dynamic_fixed_point;
    f.bit_width = 6;
    f.fractional_length = -1;
    all.push_back(f);
    f.kind = FormatKind::minifloat;
    f.mantissa_bits = 1;
    f.exponent_bits = 5;
    all.push_back(f);
    f.kind = FormatKind::integer_power_of_two;
    f.exponent_min = 0;
    f.exponent_max = 4;
    all.push_back(f);
  }
  return all;
}

template <class Arguments>
void check_trims(uint32_t seed) {
  cases::Random random(seed);
  for (const TrimFormat& format : formats())
    for (int which = 1; which <= 3; ++which) {
      cases::Shape shape = cases::random_shape(random);
      shape.n = 2;
      Problem<Arguments> p(shape, random, true);
      if (which & 1) p.a.src_trim = format;
      if (which & 2) p.a.dst_trim = format;
      p.a.src_random = {random.engine(), 5, 6, 7};
      p.a.dst_random = {random.engine(), 8, 9, 0xFFFFFFFFu};
      check_problem(p, true);
    }
}

// The device's sums are those of the rounded operands: as close to them as float32's are to their own.
template <class Arguments>
void check_math(Math math, uint32_t seed) {
  if (test_context().device().capability() < 80) check::skip("no tensor cores");
  const WithMath with(math);
  cases::Random random(seed);
  int different = 0;
  for (int round = 0; round < 16; ++round) {
    const bool whole = round % 2 == 0;
    Problem<Arguments> p(cases::random_shape(random), random, whole);
    const guarded::vector<float> given = p.actual(), unrounded = p.expected();
    round_all(p.src, math);
    round_all(p.weights, math);
    check_values(p, whole, given);
    if (!whole && given != unrounded) ++different;
  }
  CHECK(different > 4, different);  // few have nothing but zeros to sum
}

}  // namespace

TEST(tf32_multiplies_what_is_rounded_to_it) {
  check_math<ConvolutionArguments>(Math::tf32, 6);
  check_math<DeconvolutionArguments>(Math::tf32, 7);
}
TEST(bf16_multiplies_what_is_rounded_to_it) {
  check_math<ConvolutionArguments>(Math::bf16, 8);
  check_math<DeconvolutionArguments>(Math::bf16, 9);
}

TEST(trims_are_the_definitions_own) {
  check_trims<ConvolutionArguments>(3);
  check_trims<DeconvolutionArguments>(4);
}

TEST(a_nan_in_the_output_is_told_where_it_is_trimmed) {
  cases::Random random(5);
  Problem<ConvolutionArguments> p({1, 3, 5, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1}, random, true);
  p.src[40] = std::nanf("");
  p.actual();
  p.a.dst_trim = formats()[0];
  test_context().begin_op("layer");
  std::string error;
  try {
    p.actual();
  } catch (const Error& e) {
    error = e.what();
  }
  CHECK_EQUAL(error, std::string("layer: NaN in the data to be trimmed"));
}

TEST(what_has_no_32_bit_offsets_is_left_to_the_processor) {
  ConvolutionArguments a;
  a.src = Tensor::of(nullptr, {1, 1 << 12, 1 << 10, 1 << 9});
  a.weights = Tensor::of(nullptr, {1, 1 << 12, 1, 1});
  a.dst = Tensor::of(nullptr, {1, 1, 1 << 10, 1 << 9});
  CHECK(!cuda::run(test_context(), a));
  a.src.dim[1] = a.weights.dim[1] = 4;
  a.pad_h = 1 << 20;
  a.dst.dim[2] += 2 * a.pad_h;
  CHECK(!cuda::run(test_context(), a));
}

TEST(convolutions_agree_with_the_definition) { check_random<ConvolutionArguments>(1, 60); }
TEST(deconvolutions_agree_with_the_definition) { check_random<DeconvolutionArguments>(2, 60); }

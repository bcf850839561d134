// Trims on the device equal the definition, bit for bit.
#include "core/op/trim/trim.h"

#include <vector>

#include "core/format/float_bits.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

std::vector<TrimFormat> formats() {
  std::vector<TrimFormat> all(1);
  for (Rounding rounding : {Rounding::half_away_from_zero, Rounding::half_to_even, Rounding::half_up,
                            Rounding::floor, Rounding::stochastic}) {
    TrimFormat f;
    f.rounding = rounding;
    f.kind = FormatKind::dynamic_fixed_point;
    for (int width : {2, 8, 32})
      for (int fraction : {-3, 5, 40}) {
        f.bit_width = width;
        f.fractional_length = fraction;
        all.push_back(f);
      }
    f.kind = FormatKind::minifloat;
    f.mantissa_bits = 3;
    f.exponent_bits = 4;
    all.push_back(f);
    f.kind = FormatKind::integer_power_of_two;
    all.push_back(f);
  }
  return all;
}

// Every exponent, both signs, ties among them.
guarded::vector<float> values(size_t count, bool nan) {
  guarded::vector<float> all(count);
  uint32_t state = 7;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    uint32_t bits = state;
    if (i % 3 == 0) bits &= 0xFFF80000u;
    // Most of them of magnitudes that formats keep.
    if (i % 2) bits = (bits & 0x807FFFFFu) | (117 + (state >> 9) % 24) << 23;
    if (is_nan_bits(bits)) bits &= 0xFF800000u;
    all[i] = float_of(bits);
  }
  if (nan) all[count / 2] = float_of(0x7FC00001u);
  return all;
}

struct Problem {
  int64_t images, count, src_stride, dst_stride;
  uint64_t first_element;
};

void check_problem(const Problem& p, const TrimFormat& format) {
  Shared<float> src(values(size_t((p.images - 1) * p.src_stride + p.count), false));
  Shared<float> dst(size_t((p.images - 1) * p.dst_stride + p.count));
  TrimArguments a;
  a.src = Tensor::of(src.data(), {p.images, p.count});
  a.src.image_stride = p.src_stride;
  a.dst = Tensor::of(dst.data(), {p.images, p.count});
  a.dst.image_stride = p.dst_stride;
  a.format = format;
  a.random = {0x0123456789ABCDEFu, 99, 3, p.first_element};
  CHECK(cuda::run(test_context(), a));
  test_context().synchronize();
  for (int64_t n = 0; n < p.images; ++n) {
    guarded::vector<float> expected(size_t(p.dst_stride), 0.0f);
    RandomStream random = a.random;
    random.first_element += uint64_t(n * p.count);
    trim_span_ref(a.src.image(n), expected.data(), p.count, format, random);
    for (int64_t i = 0; i < p.dst_stride && n * p.dst_stride + i < int64_t(dst.size()); ++i)
      CHECK_EQUAL(bits_of(a.dst.image(n)[i]), bits_of(expected[size_t(i)]), "format ", int(format.kind),
                  " rounding ", int(format.rounding), " width ", format.bit_width, " fraction ",
                  format.fractional_length, " image ", n, " element ", i, " of ", a.src.image(n)[i]);
  }
}

}  // namespace

TEST(equals_the_definition) {
  for (const TrimFormat& format : formats()) {
    check_problem({1, 10007, 10007, 10007, 0}, format);  // vectors and a tail
    check_problem({1, 1001, 1001, 1001, 0xFFFFFFF0u * uint64_t{4} + 1},
                  format);                       // words that do not start a block
    check_problem({3, 52, 64, 100, 8}, format);  // slices
    check_problem({3, 51, 53, 51, 0}, format);   // slices at odd places
  }
}

TEST(trims_in_place) {
  TrimFormat format = formats()[2];
  Shared<float> data(values(5000, false));
  guarded::vector<float> expected(5000);
  trim_span_ref(data.data(), expected.data(), 5000, format, {});
  TrimArguments a;
  a.src = a.dst = Tensor::of(data.data(), {5000});
  a.format = format;
  CHECK(cuda::run(test_context(), a));
  test_context().synchronize();
  for (size_t i = 0; i < 5000; ++i) CHECK_EQUAL(bits_of(data[i]), bits_of(expected[i]));
}

TEST(a_nan_is_told_with_the_op_that_met_it) {
  cuda::Context& context = test_context();
  Shared<float> good(values(100, false)), bad(values(101, true)), dst(101);
  TrimArguments a;
  a.format = formats()[1];
  const auto trim = [&](const char* label, Shared<float>& src) {
    a.src = Tensor::of(src.data(), {int64_t(src.size())});
    a.dst = Tensor::of(dst.data(), {int64_t(src.size())});
    context.begin_op(label);
    CHECK(cuda::run(context, a));
  };
  trim("first", good);
  trim("second", bad);
  trim("third", bad);
  std::string error;
  try {
    context.synchronize();
  } catch (const Error& e) {
    error = e.what();
  }
  CHECK_EQUAL(error, std::string("second: NaN in the data to be trimmed"));
  CHECK(is_nan_bits(bits_of(dst[50])));
  context.synchronize();  // it is told once
}

// Range analysis on the device equals the processor's.
#include "core/op/trim/range.h"

#include <vector>

#include "core/format/float_bits.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Bits of all kinds: denormals, infinities and NaNs among them where `special`.
guarded::vector<float> values(size_t count, bool special) {
  guarded::vector<float> all(count);
  uint32_t state = 11;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    uint32_t bits = state;
    if (i % 2 || !special) bits = (bits & 0x807FFFFFu) | (117 + (state >> 9) % 24) << 23;
    if (special && i % 97 == 5) bits = 0x7F800000u | (state & 0x80000000u);
    if (special && i % 101 == 7) bits |= 0x7FC00000u;
    all[i] = float_of(bits);
  }
  return all;
}

struct Problem {
  int64_t images, count, stride;
};

struct Outcome {
  Shared<float> extremes{3};
  Shared<int32_t> counts{3}, exponents{256};
};

void check_problem(const Problem& p, const TrimFormat& format, bool special, bool counts, bool exponents,
                   int64_t offset = 0) {
  Shared<float> src(values(size_t((p.images - 1) * p.stride + p.count + offset), special));
  RangeArguments a;
  a.src = Tensor::of(src.data() + offset, {p.images, p.count});
  a.src.image_stride = p.stride;
  a.format = format;
  Outcome outcomes[2];
  ristretto::Context processor(1, {});
  for (int pass = 0; pass < 2; ++pass) {
    a.accumulate = pass == 1;
    for (int device = 0; device < 2; ++device) {
      Outcome& to = outcomes[device];
      a.extremes = Tensor::of(to.extremes.data(), {3});
      a.counts = a.exponents = Tensor();
      if (counts) a.counts = Tensor::of(reinterpret_cast<float*>(to.counts.data()), {3});
      if (exponents) a.exponents = Tensor::of(reinterpret_cast<float*>(to.exponents.data()), {256});
      a.counts.type = a.exponents.type = DataType::i32;
      Range::check(a);
      if (device)
        CHECK(cuda::run(test_context(), a));
      else
        Range::rows().back().run(processor, a);
    }
    test_context().synchronize();
    const auto where = check::text(p.images, " x ", p.count, " pass ", pass, " format ", int(format.kind));
    for (size_t i = 0; i < 3; ++i) {
      CHECK_EQUAL(bits_of(outcomes[1].extremes[i]), bits_of(outcomes[0].extremes[i]), where, " extreme ", i);
      CHECK_EQUAL(outcomes[1].counts[i], outcomes[0].counts[i], where, " count ", i);
    }
    for (size_t e = 0; e < 256; ++e)
      CHECK_EQUAL(outcomes[1].exponents[e], outcomes[0].exponents[e], where, " exponent ", e);
  }
}

TrimFormat fixed_point() {
  TrimFormat f;
  f.kind = FormatKind::dynamic_fixed_point;
  f.bit_width = 8;
  f.fractional_length = 5;
  return f;
}

}  // namespace

TEST(equals_the_processors) {
  TrimFormat minifloat;
  minifloat.kind = FormatKind::minifloat;
  minifloat.mantissa_bits = 3;
  minifloat.exponent_bits = 4;
  for (const TrimFormat& format : {TrimFormat(), fixed_point(), minifloat})
    for (bool special : {false, true}) {
      check_problem({1, 9001, 9001}, format, special, true, true);   // vectors and a tail
      check_problem({5, 703, 740}, format, special, true, false);    // slices
      check_problem({3, 601, 607}, format, special, true, true, 1);  // slices at odd places
    }
  check_problem({1, 3, 3}, {}, false, true, true);
  check_problem({1, 12000, 12000}, {}, true, false, true);
  check_problem({7, 1024, 1100}, {}, true, false, false);
}

TEST(nothing_to_see) {
  check_problem({0, 100, 100}, fixed_point(), false, true, true);
  check_problem({4, 0, 0}, fixed_point(), false, true, true);
}

TEST(only_nans) {
  Shared<float> src(guarded::vector<float>(100, float_of(0x7FC00000u))), extremes(3);
  RangeArguments a;
  a.src = Tensor::of(src.data(), {100});
  a.extremes = Tensor::of(extremes.data(), {3});
  CHECK(cuda::run(test_context(), a));
  test_context().synchronize();
  CHECK_EQUAL(extremes[0], kInfinity);
  CHECK_EQUAL(extremes[1], -kInfinity);
  CHECK_EQUAL(extremes[2], 0.0f);
}

TEST(counts_stop_at_the_greatest_int32) {
  Shared<float> src(guarded::vector<float>(64, 300.0f)), extremes(3);
  Shared<int32_t> counts(guarded::vector<int32_t>{1, 2, 0x7FFFFFF0});
  RangeArguments a;
  a.src = Tensor::of(src.data(), {64});
  a.extremes = Tensor::of(extremes.data(), {3});
  a.counts = Tensor::of(reinterpret_cast<float*>(counts.data()), {3});
  a.counts.type = DataType::i32;
  a.format = fixed_point();
  a.accumulate = true;
  CHECK(cuda::run(test_context(), a));
  test_context().synchronize();
  CHECK_EQUAL(counts[0], 1);
  CHECK_EQUAL(counts[1], 2);
  CHECK_EQUAL(counts[2], 0x7FFFFFFF);
}

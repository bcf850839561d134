// Also run through SIMDe.
#include "core/op/quantized_convolution/convolution_fixed.h"

#include <cstdlib>

#include "check.h"
#include "fixed_cases.h"

using namespace ristretto;

namespace {

using Row = KernelRow<ConvolutionFixedArguments>;
using Problem = cases::FixedProblem;

void check_rows(const Problem& problem) {
  if (!fixed_bound(problem.a).acc_fits_64()) return;
  ConvolutionFixed::check(problem.a);
  Context reference(1, CpuFeatures{});
  const guarded::vector<char> expected =
      problem.result([&](const ConvolutionFixedArguments& a) { convolution_fixed_ref(reference, a); });
  for (const Row& row : ConvolutionFixed::rows()) {
    const CpuFeatures features = detect_cpu_features();
    if (!row.supports(problem.a, features) || std::string(row.name) == "ref") continue;
    for (const int threads : {1, 3}) {
      Context context(threads, features);
      PackedWeights packed;
      for (const bool keep : {false, true, true}) {
        const auto got = problem.result([&](ConvolutionFixedArguments& a) {
          if (keep) a.packed = &packed;
          row.run(context, a);
        });
        problem.compare(got, expected, check::text(row.name, " with ", threads, " threads"));
      }
    }
  }
}

void check_kind(const Problem::Kind& kind, uint32_t seed, int problems) {
  cases::Random random(seed);
  for (int i = 0; i < problems; ++i) check_rows(Problem(Problem::random_shape(random), kind, random));
}

}  // namespace

TEST(bytes_equal_the_definition) { check_kind({8, 8}, 1, 250); }
TEST(bytes_at_their_extremes) { check_kind({8, 8, true}, 2, 100); }
TEST(narrow_codes) {
  check_kind({4, 4}, 3, 60);
  check_kind({2, 8}, 4, 40);
  check_kind({8, 1}, 5, 40);
}
TEST(words_equal_the_definition) { check_kind({16, 8}, 6, 100); }
TEST(words_at_their_extremes) {
  check_kind({16, 8, true}, 7, 60);
  check_kind({16, 16, true}, 8, 60);
}
TEST(wide_weights) {
  check_kind({16, 16}, 9, 80);
  check_kind({8, 16}, 10, 60);
  check_kind({12, 10}, 11, 40);
}

// Each channel by itself: on both sides of every vector's length, with halos that cover the padding, in part,
// or not at all, and biases and shifts beyond 32 bits.
TEST(depthwise_layers_equal_the_definition) {
  cases::Random random(15);
  int by_channel = 0;
  for (int i = 0; i < 400; ++i) {
    Problem::Shape s = Problem::random_shape(random);
    s.c = s.k = s.group = random.integer(1, random.integer(0, 1) ? 20 : 100);
    s.spread_h = s.spread_w = random.integer(0, 9) ? 1 : 2;
    const Problem::Kind kinds[] = {{8, 8}, {8, 8, true}, {16, 8}, {16, 8, true}, {8, 16}, {4, 4}, {16, 16}};
    const Problem problem(s, kinds[random.integer(0, 6)], random);
    by_channel += std::string(select_kernel(ConvolutionFixed::rows(), problem.a, CpuFeatures{}).name) ==
                  "depthwise_portable";
    check_rows(problem);
  }
  CHECK(by_channel > 250, by_channel);
}

TEST(depthwise_kernels_keep_their_weights) {
  cases::Random random(16);
  Problem::Shape s{1, 20, 7, 9, 20, 3, 3, 1, 1, 1, 1, 1, 1, 20};
  Problem p(s, {8, 8}, random);
  PackedWeights packed;
  p.a.packed = &packed;
  Context context(2, detect_cpu_features());
  const auto run = [&] {
    return p.result([&](const ConvolutionFixedArguments& a) { ConvolutionFixed::run(context, a); });
  };
  const auto reference = [&] {
    return p.result([&](const ConvolutionFixedArguments& a) { convolution_fixed_ref(context, a); });
  };
  p.compare(run(), reference(), "first version");
  for (char& w : p.weights) w = char(-w / 2);
  p.a.weights_version = 1;
  p.compare(run(), reference(), "second version");
  p.bias[3] += 40;
  p.a.src_fractional_length += 2;
  p.compare(run(), reference(), "second format");
}

TEST(kept_weights_follow_their_version) {
  cases::Random random(12);
  Problem p({1, 8, 5, 5, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1}, {8, 8}, random);
  PackedWeights packed;
  p.a.packed = &packed;
  Context context(2, detect_cpu_features());
  const auto run = [&] {
    return p.result([&](const ConvolutionFixedArguments& a) { ConvolutionFixed::run(context, a); });
  };
  const auto reference = [&] {
    return p.result([&](const ConvolutionFixedArguments& a) { convolution_fixed_ref(context, a); });
  };
  p.compare(run(), reference(), "first version");
  for (char& w : p.weights) w = char(-w / 2);
  p.a.weights_version = 1;
  p.compare(run(), reference(), "second version");
  // Another format of the same weights: the bias is shifted elsewhere.
  p.a.src_fractional_length += 2;
  p.compare(run(), reference(), "second format");
}

TEST(bounds_are_those_of_the_weights) {
  cases::Random random(13);
  Problem p({1, 4, 1, 1, 2, 1, 1, 1, 1, 0, 0, 1, 1, 1}, {8, 8}, random);
  p.a.src.low = -128, p.a.src.high = 127;
  p.a.src_fractional_length = 3, p.a.weights_fractional_length = 4;
  p.a.output = {8, 2};
  p.bias = {0, 0};
  for (int i = 0; i < 8; ++i) p.weights[i] = char(i < 4 ? 1 : 2);
  // 128 * 8 = 1024 takes 11 bits; with half of 2^5, 1040, too.
  CHECK_EQUAL(fixed_bound(p.a).sum_bits, 11);
  CHECK_EQUAL(fixed_bound(p.a).acc_bits, 11);
  for (int i = 4; i < 8; ++i) p.weights[i] = char(i == 4 ? 127 : 0);
  CHECK_EQUAL(fixed_bound(p.a).sum_bits, 14);
}

TEST(refuses_what_does_not_fit) {
  cases::Random random(14);
  const Problem p({1, 8, 5, 5, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1}, {8, 8}, random);
  const auto refused = [&](auto change) {
    ConvolutionFixedArguments a = p.a;
    change(a);
    try {
      ConvolutionFixed::check(a);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK(!refused([](ConvolutionFixedArguments&) {}));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.group = 3; }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.pad_h = 2; }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.output.bit_width = 17; }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.weights_bit_width = 9; }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.rounding = Rounding::stochastic; }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.weights.type = DataType::f32; }));
  CHECK(refused([](ConvolutionFixedArguments& a) {
    a.requantises = false;
    a.output.bit_width = 12;
    a.dst.type = DataType::i8;
  }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.src_fractional_length = -60; }));
}

#include "core/op/convolution_fixed.h"

#include <cstdlib>
#include <memory>

#include "check.h"
#include "code_cases.h"

using namespace ristretto;

namespace {

using Row = KernelRow<ConvolutionFixedArguments>;

// A random problem with its memory.
struct Problem {
  struct Shape {
    int64_t n, c, h, w, k, r, s, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group;
    int64_t spread_h = 1, spread_w = 1;
  };
  struct Kind {
    int src_bits, weights_bits;
    bool extremes = false;  // every weight and code at the end of its range
  };

  static Shape random_shape(cases::Random& random) {
    Shape s{};
    s.n = random.integer(1, 3);
    s.group = random.integer(0, 3) ? 1 : random.integer(2, 3);
    s.c = s.group * random.integer(1, random.integer(0, 4) ? 20 : 90);
    s.k = s.group * random.integer(1, random.integer(0, 2) ? 40 : 100);
    s.r = random.integer(1, 4);
    s.s = random.integer(0, 1) ? s.r : random.integer(1, 7);
    s.stride_h = random.integer(0, 1) ? 1 : random.integer(1, 3);
    s.stride_w = random.integer(0, 1) ? s.stride_h : random.integer(1, 3);
    s.pad_h = random.integer(0, 3);
    s.pad_w = random.integer(0, 3);
    s.dilation_h = random.integer(0, 3) ? 1 : random.integer(1, 3);
    s.dilation_w = random.integer(0, 3) ? 1 : 2;
    s.h = random.integer(1, 12);
    s.w = random.integer(0, 2) ? random.integer(1, 16) : random.integer(20, 60);
    if (random.integer(0, 3) == 0) s.r = s.s = 1, s.pad_h = s.pad_w = 0, s.stride_h = s.stride_w = 1;
    if (random.integer(0, 7) == 0) s.spread_h = random.integer(1, 3), s.spread_w = random.integer(2, 3);
    s.h = std::max(s.h, s.dilation_h * (s.r - 1) + 1 - 2 * s.pad_h);
    s.w = std::max(s.w, s.dilation_w * (s.s - 1) + 1 - 2 * s.pad_w);
    if (random.integer(0, 7) == 0) {  // an inner product: the kernel covers the map
      s.pad_h = s.pad_w = 0, s.dilation_h = s.dilation_w = 1;
      s.h = s.r, s.w = s.s, s.n = random.integer(1, 30), s.spread_h = s.spread_w = 1;
    }
    return s;
  }

  static DataType src_type(cases::Random& random, int bits, bool non_negative) {
    if (bits > 8) return DataType::i16;
    return non_negative ? DataType::i8 : random.integer(0, 2) ? DataType::u8 : DataType::i8;
  }

  Problem(const Shape& s, const Kind& kind, cases::Random& random) {
    a.stride_h = s.stride_h, a.stride_w = s.stride_w, a.pad_h = s.pad_h, a.pad_w = s.pad_w;
    a.dilation_h = s.dilation_h, a.dilation_w = s.dilation_w, a.group = s.group;
    a.spread_h = s.spread_h, a.spread_w = s.spread_w;
    const int64_t p =
        ((s.h - 1) * s.spread_h + 1 + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
    const int64_t q =
        ((s.w - 1) * s.spread_w + 1 + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
    const bool non_negative = random.integer(0, 1);
    const int high = (1 << (kind.src_bits - 1)) - 1, low = non_negative ? 0 : -high - 1;
    const bool has_halo = random.integer(0, 2), is_slice = random.integer(0, 3) == 0;
    src = std::make_unique<cases::Codes>(
        src_type(random, kind.src_bits, non_negative),
        cases::Codes::Shape{s.n, s.h, s.w, s.c, has_halo ? s.pad_h + random.integer(0, 1) : 0,
                            has_halo ? s.pad_w + random.integer(0, 1) : 0,
                            is_slice ? random.integer(0, 5) : 0, is_slice ? random.integer(0, 5) : 0},
        low, high, random.integer(0, 1) ? 64 : 0);
    src->fill(random);
    a.src = src->view;

    const int64_t count = s.k * (s.c / s.group) * s.r * s.s;
    const int most = (1 << (kind.weights_bits - 1)) - 1;
    weights.resize(count * (kind.weights_bits > 8 ? 2 : 1));
    const int64_t spread = random.integer(0, 2) ? most : std::max(1, most / 16);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t w =
          kind.extremes ? (random.integer(0, 1) ? most : -most - 1) : random.integer(-spread, spread);
      if (kind.weights_bits > 8)
        reinterpret_cast<int16_t*>(weights.data())[i] = int16_t(w);
      else
        weights[i] = char(w);
    }
    a.weights = Tensor::of(nullptr, {s.k, s.c / s.group, s.r, s.s});
    a.weights.data = weights.data();
    a.weights.type = kind.weights_bits > 8 ? DataType::i16 : DataType::i8;
    bias.resize(s.k);
    for (int32_t& b : bias) b = int32_t(random.integer(-most - 1, most));
    if (random.integer(0, 3)) {
      a.bias = Tensor::of(nullptr, {s.k});
      a.bias.data = bias.data();
      a.bias.type = DataType::i32;
    }

    // Formats that put typical sums within the output's range, and now and then far from it.
    a.src_fractional_length = int(random.integer(-4, 12));
    a.weights_fractional_length = int(random.integer(-3, 14));
    const int depth_bits = int(std::log2(double(a.weights.count(1))) / 2);
    const int typical = a.src_fractional_length + a.weights_fractional_length - kind.src_bits -
                        kind.weights_bits + 10 - depth_bits;
    a.output.bit_width = int(random.integer(0, 1) ? random.integer(1, 8) : 8);
    a.output.fractional_length =
        typical + int(random.integer(0, 3) ? random.integer(-2, 2) : random.integer(-30, 30));
    a.relu = random.integer(0, 1);
    a.requantises = random.integer(0, 1);
    const bool wide = random.integer(0, 3) == 0;
    a.consumer.bit_width = int(wide ? random.integer(9, 16) : random.integer(1, 8));
    a.consumer.fractional_length = a.output.fractional_length + int(random.integer(-4, 4));
    if (wide) a.output.bit_width = int(random.integer(9, 16)), a.output.fractional_length += 8;
    const Rounding rules[] = {Rounding::half_away_from_zero, Rounding::half_to_even, Rounding::half_up,
                              Rounding::floor};
    a.rounding = rules[random.integer(0, 2) ? 0 : random.integer(0, 3)];
    const int width = a.requantises ? a.consumer.bit_width : a.output.bit_width;
    const DataType type = width > 8 || random.integer(0, 7) == 0 ? DataType::i16
                          : random.integer(0, 1)                 ? DataType::u8
                                                                 : DataType::i8;
    const bool dst_slice = random.integer(0, 2) == 0;
    dst = std::make_unique<cases::Codes>(
        type,
        cases::Codes::Shape{s.n, p, q, s.k, random.integer(0, 2), random.integer(0, 2),
                            dst_slice ? random.integer(0, 40) : 0, dst_slice ? random.integer(0, 40) : 0},
        -(1 << (width - 1)), (1 << (width - 1)) - 1);
    dst->fill(random);
    a.dst = dst->view;
  }

  std::string text() const {
    return check::text("src ", a.src.shape_text(), " type ", int(a.src.type), " halo ", a.src.halo_h, ",",
                       a.src.halo_w, " pixel ", a.src.pixel_stride, " slack ", a.src.slack, " weights ",
                       a.weights.shape_text(), " stride ", a.stride_h, ",", a.stride_w, " pad ", a.pad_h, ",",
                       a.pad_w, " dilation ", a.dilation_h, ",", a.dilation_w, " group ", a.group, " spread ",
                       a.spread_h, ",", a.spread_w, " fl ", a.src_fractional_length, ",",
                       a.weights_fractional_length, " output ", a.output.bit_width, ",",
                       a.output.fractional_length, " consumer ", a.requantises ? a.consumer.bit_width : 0,
                       ",", a.consumer.fractional_length, " rounding ", int(a.rounding), " relu ", a.relu);
  }

  template <class Run>
  std::vector<char> result(const Run& run) const {
    std::vector<char> memory = dst->memory;
    ConvolutionFixedArguments copy = a;
    copy.dst = dst->in(memory);
    run(copy);
    return memory;
  }

  void compare(const std::vector<char>& got, const std::vector<char>& expected,
               const std::string& what) const {
    if (got == expected) return;
    std::vector<char> g = got, e = expected;
    const CodeTensor a_view = dst->in(g), b_view = dst->in(e);
    for (int64_t n = 0; n < a.dst.images; ++n)
      for (int64_t h = -a.dst.halo_h; h < a.dst.height + a.dst.halo_h; ++h)
        for (int64_t w = -a.dst.halo_w; w < a.dst.width + a.dst.halo_w; ++w)
          for (int64_t c = 0; c < a.dst.channels; ++c)
            CHECK_EQUAL(a_view.code(n, h, w, c), b_view.code(n, h, w, c), what, " at ", n, ",", h, ",", w,
                        ",", c, "; ", text());
    CHECK(false, what, " wrote outside of its view; ", text());
  }

  ConvolutionFixedArguments a;
  std::unique_ptr<cases::Codes> src, dst;
  std::vector<char> weights;
  std::vector<int32_t> bias;
};

void check_rows(const Problem& problem) {
  if (!fixed_bound(problem.a).acc_fits_64()) return;
  ConvolutionFixed::check(problem.a);
  Context reference(1, CpuFeatures{});
  const std::vector<char> expected =
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
  CHECK(refused([](ConvolutionFixedArguments& a) { a.rounding = Rounding::stochastic; }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.weights.type = DataType::f32; }));
  CHECK(refused([](ConvolutionFixedArguments& a) {
    a.requantises = false;
    a.output.bit_width = 12;
    a.dst.type = DataType::i8;
  }));
  CHECK(refused([](ConvolutionFixedArguments& a) { a.src_fractional_length = -60; }));
}

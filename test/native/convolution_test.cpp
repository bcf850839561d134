// Also run through SIMDe.
#include "core/op/convolution/convolution.h"

#include <cstring>

#include "check.h"
#include "core/op/convolution/convolution_depthwise.h"
#include "core/op/convolution/convolution_panels.h"
#include "core/op/convolution/convolution_winograd.h"
#include "core/op/trim/trim.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

// A random problem with its memory. Tensors may be channel slices of larger ones, whose rest must stay
// untouched.
struct Problem {
  ConvolutionArguments a;
  guarded::vector<float> src, weights, bias, dst;
  int64_t dst_offset = 0;

  using Shape = cases::WindowShape;

  static Shape random_shape(cases::Random& random) {
    Shape s{};
    s.n = random.integer(1, 3);
    s.group = random.integer(0, 3) ? 1 : random.integer(2, 3);
    s.c = s.group * random.integer(1, random.integer(0, 4) ? 8 : 70);
    s.k = s.group * random.integer(1, random.integer(0, 4) ? 12 : 80);
    s.take_window(random, 5, 7);
    s.h = random.integer(0, 2) ? random.integer(1, 16) : random.integer(20, 60);
    s.w = random.integer(0, 2) ? random.integer(1, 16) : random.integer(20, 60);
    s.hold_window();
    return s;
  }

  // What Winograd's row takes: 3 x 3, stride 1, some channels; images of few and of many tiles.
  static Shape random_winograd_shape(cases::Random& random) {
    Shape s{};
    s.n = random.integer(1, 4);
    s.group = random.integer(0, 3) ? 1 : 2;
    s.c = s.group * random.integer(8, random.integer(0, 4) ? 20 : 90);
    s.k = s.group * random.integer(8, random.integer(0, 4) ? 40 : 100);
    s.r = s.s = 3;
    s.stride_h = s.stride_w = s.dilation_h = s.dilation_w = 1;
    s.pad_h = random.integer(0, 2);
    s.pad_w = random.integer(0, 2);
    s.h = random.integer(6, random.integer(0, 3) ? 16 : 40);
    s.w = random.integer(6, random.integer(0, 3) ? 16 : 40);
    return s;
  }

  Problem(const Shape& s, cases::Random& random, bool whole) {
    a.stride_h = s.stride_h, a.stride_w = s.stride_w, a.pad_h = s.pad_h, a.pad_w = s.pad_w;
    a.dilation_h = s.dilation_h, a.dilation_w = s.dilation_w, a.group = s.group;
    const int64_t p = (s.h + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
    const int64_t q = (s.w + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
    const int64_t src_gap = random.integer(0, 2) ? 0 : random.integer(1, 50);
    const int64_t dst_gap = random.integer(0, 2) ? 0 : random.integer(1, 50);
    const int64_t src_image = s.c * s.h * s.w, dst_image = s.k * p * q;
    // No slack after the last image, so that touching what lies behind it shows.
    src = random.values(s.n * (src_image + src_gap) - src_gap, whole);
    weights = random.values(s.k * (s.c / s.group) * s.r * s.s, whole);
    bias = random.values(s.k, whole);
    dst_offset = dst_gap / 2;
    dst = random.values(dst_offset + s.n * (dst_image + dst_gap) - dst_gap, whole);
    a.src = Tensor::of(src.data(), {s.n, s.c, s.h, s.w});
    a.src.image_stride = src_image + src_gap;
    a.weights = Tensor::of(weights.data(), {s.k, s.c / s.group, s.r, s.s});
    if (random.integer(0, 3)) a.bias = Tensor::of(bias.data(), {s.k});
    a.dst = Tensor::of(dst.data() + dst_offset, {s.n, s.k, p, q});
    a.dst.image_stride = dst_image + dst_gap;
    a.relu = random.integer(0, 1);
  }

  int64_t depth() const { return a.weights.count(1); }
  std::string text() const {
    std::ostringstream out;
    out << "src " << a.src.shape_text() << " weights " << a.weights.shape_text() << " stride " << a.stride_h
        << "," << a.stride_w << " pad " << a.pad_h << "," << a.pad_w << " dilation " << a.dilation_h << ","
        << a.dilation_w << " group " << a.group;
    return out.str();
  }

  // All of dst's memory after `run`, which is given the arguments with dst pointing at a copy.
  template <class Run>
  guarded::vector<float> result(const Run& run) const {
    guarded::vector<float> memory = dst;
    ConvolutionArguments copy = a;
    copy.dst.data = memory.data() + dst_offset;
    run(copy);
    return memory;
  }
  guarded::vector<float> expected() const {
    Context context(1, CpuFeatures{});
    return result([&](const ConvolutionArguments& x) { convolution_ref(context, x); });
  }
  // The same sums over absolute values.
  guarded::vector<float> magnitude() const {
    Problem p = *this;
    p.src = cases::absolute(p.src), p.weights = cases::absolute(p.weights), p.bias = cases::absolute(p.bias);
    p.a.src.data = p.src.data(), p.a.weights.data = p.weights.data();
    if (p.a.bias) p.a.bias.data = p.bias.data();
    return p.expected();
  }
};

using Run = std::function<void(Context&, const ConvolutionArguments&)>;

void check_against_definition(const char* name, const Problem& p, bool whole, Context& context,
                              const Run& run) {
  const guarded::vector<float> expected = p.expected(), bound = p.magnitude();
  const guarded::vector<float> actual = p.result([&](const ConvolutionArguments& x) { run(context, x); });
  for (size_t i = 0; i < actual.size(); ++i) {
    if (whole)
      CHECK_EQUAL(actual[i], expected[i], name, " element ", i, " ", p.text());
    else
      CHECK(std::fabs(actual[i] - expected[i]) <= cases::sum_tolerance(p.depth(), std::fabs(bound[i])), name,
            " element ", i, ": ", actual[i], " for ", expected[i], " ", p.text());
  }
}

}  // namespace

TEST(every_row_agrees_with_the_definition) {
  for (const auto& row : Convolution::rows()) {
    Context context(2, detect_cpu_features());
    cases::Random random(1);
    for (int round = 0; round < 300; ++round) {
      const bool whole = round % 2 == 0;
      const Problem p(Problem::random_shape(random), random, whole);
      Convolution::check(p.a);
      if (!row.supports(p.a, context.features)) continue;
      check_against_definition(row.name, p, whole, context, row.run);
    }
  }
}

TEST(every_row_reads_no_more_than_small_planes) {
  for (const auto& row : Convolution::rows()) {
    Context context(1, detect_cpu_features());
    cases::Random random(14);
    for (int round = 0; round < 400; ++round) {
      Problem p(Problem::Shape::small(random), random, true);
      const TrimFormat format = {
          .kind = FormatKind::dynamic_fixed_point, .bit_width = 5, .fractional_length = 0};
      if (random.integer(0, 1)) p.a.src_trim = format;
      if (random.integer(0, 1)) p.a.dst_trim = format;
      Convolution::check(p.a);
      if (!row.supports(p.a, context.features)) continue;
      // What lies between the images of a slice is not the tensor's either: a NaN there is none of its own.
      for (int64_t n = 0; n + 1 < p.a.src.images(); ++n)
        std::fill(p.a.src.image(n) + p.a.src.image_count(), p.a.src.image(n + 1), std::nanf(""));
      check_against_definition(row.name, p, true, context, row.run);
    }
  }
}

TEST(depthwise_rows_agree_with_the_definition) {
  Context context(2, detect_cpu_features());
  cases::Random random(12);
  int checked = 0;
  for (int round = 0; round < 60; ++round) {
    Problem::Shape shape = Problem::random_shape(random);
    shape.group = shape.c = random.integer(1, 9);
    shape.k = shape.c * random.integer(1, 3);
    if (round % 6 == 0) shape.w += 100;
    Problem p(shape, random, true);
    if (round % 3 == 0)
      p.a.src_trim =
          p.a.dst_trim = {.kind = FormatKind::dynamic_fixed_point, .bit_width = 5, .fractional_length = 0};
    for (const auto& row : Convolution::rows()) {
      if (std::string(row.name).find("depthwise") == std::string::npos ||
          !row.supports(p.a, context.features))
        continue;
      check_against_definition(row.name, p, true, context, row.run);
      ++checked;
    }
    if (const FloatKernels* paired = float_kernels_paired_avx2();
        paired && paired->available(context.features))
      check_against_definition(
          paired->name, p, true, context,
          [&](Context& c, const ConvolutionArguments& a) { convolution_depthwise(c, a, *paired); });
  }
  CHECK(checked >= 60);
}

TEST(a_trim_that_moves_zero_comes_before_the_relu) {
  Context context(2, detect_cpu_features());
  cases::Random random(13);
  for (const int64_t group : {1, 4}) {
    Problem p({1, 4, 9, 9, 4, 3, 3, 1, 1, 1, 1, 1, 1, group}, random, true);
    p.a.relu = true;
    p.a.dst_trim = {.kind = FormatKind::integer_power_of_two, .exponent_min = -3, .exponent_max = 4};
    check_against_definition("selected", p, true, context, Convolution::run);
  }
}

TEST(sixteen_lanes_agree_with_the_definition_without_avx512) {
  const FloatKernels* kernels = float_kernels_paired_avx2();
  if (!kernels || !kernels->available(detect_cpu_features())) check::skip("needs AVX2");
  Context context(2, detect_cpu_features());
  cases::Random random(2);
  for (int round = 0; round < 200; ++round) {
    const bool whole = round % 2 == 0;
    const Problem p(Problem::random_shape(random), random, whole);
    check_against_definition(
        kernels->name, p, whole, context,
        [&](Context& c, const ConvolutionArguments& x) { convolution_panels(c, x, *kernels); });
  }
}

TEST(winograd_stays_within_its_tolerance) {
  cases::Random random(9);
  struct Row {
    std::string name;
    Run run;
  };
  std::vector<Row> rows;
  for (const auto& row : Convolution::rows())
    if (std::string(row.name).find("winograd") != std::string::npos)
      rows.push_back({row.name, [&row](Context& c, const ConvolutionArguments& a) {
                        CHECK(row.supports(a, c.features), row.name);
                        row.run(c, a);
                      }});
  CHECK(rows.size() >= 1);
  if (const FloatKernels* paired = float_kernels_paired_avx2();
      paired && paired->available(detect_cpu_features()))
    rows.push_back({paired->name, [paired](Context& c, const ConvolutionArguments& a) {
                      convolution_winograd(c, a, *paired);
                    }});
  Context context(2, detect_cpu_features());
  int checked = 0;
  for (int round = 0; round < 30; ++round) {
    Problem p(Problem::random_winograd_shape(random), random, false);
    p.a.winograd = true;
    if (!convolution_winograd_supports(p.a)) continue;
    const guarded::vector<float> expected = p.expected();
    double most = 0;
    for (float x : expected) most = std::max(most, double(std::fabs(x)));
    for (const Row& row : rows) {
      if (row.name.find("avx512") == 0 && !context.features.avx512) continue;
      if (row.name.find("avx2") == 0 && !context.features.avx2) continue;
      const guarded::vector<float> actual =
          p.result([&](const ConvolutionArguments& a) { row.run(context, a); });
      for (size_t i = 0; i < actual.size(); ++i)
        CHECK(std::fabs(actual[i] - expected[i]) <= 4e-6 * most, row.name, " element ", i, ": ", actual[i],
              " for ", expected[i], " of at most ", most, " ", p.text());
      ++checked;
    }
  }
  CHECK(checked > 20);
}

TEST(winograd_trims_its_output_as_a_trim_behind_it_does) {
  cases::Random random(11);
  Context context(2, detect_cpu_features());
  int checked = 0;
  for (int round = 0; round < 20; ++round) {
    Problem p(Problem::random_winograd_shape(random), random, false);
    p.a.winograd = true;
    p.a.relu = round % 2 == 0;
    if (!convolution_winograd_supports(p.a)) continue;
    const Run run = [](Context& c, const ConvolutionArguments& a) { Convolution::run(c, a); };
    const guarded::vector<float> untrimmed =
        p.result([&](const ConvolutionArguments& a) { run(context, a); });
    guarded::vector<float> expected = untrimmed;
    p.a.dst_trim.kind = FormatKind::dynamic_fixed_point;
    p.a.dst_trim.bit_width = int(random.integer(4, 32));
    p.a.dst_trim.fractional_length = int(random.integer(-2, 6));
    trim_span(expected.data(), expected.data(), int64_t(expected.size()), p.a.dst_trim, {}, context.features);
    // What lies between the images of a slice is nobody's to trim.
    for (size_t i = 0; i < expected.size(); ++i)
      if (untrimmed[i] == p.dst[i]) expected[i] = p.dst[i];
    CHECK(convolution_winograd_supports(p.a));
    const guarded::vector<float> actual = p.result([&](const ConvolutionArguments& a) { run(context, a); });
    for (size_t i = 0; i < actual.size(); ++i)
      CHECK_EQUAL(actual[i], expected[i], "element ", i, " ", p.text());
    ++checked;
    p.a.dst_trim.rounding = Rounding::stochastic;
    CHECK(!convolution_winograd_supports(p.a));
  }
  CHECK(checked > 10);
}

TEST(results_do_not_depend_on_threads_or_batch) {
  cases::Random random(3);
  for (int round = 0; round < 60; ++round) {
    Problem p(round % 3 ? Problem::random_shape(random) : Problem::random_winograd_shape(random), random,
              false);
    p.a.winograd = round % 3 == 0;
    guarded::vector<float> first;
    for (int threads : {1, 2, 3, 7}) {
      Context context(threads, detect_cpu_features());
      const guarded::vector<float> r =
          p.result([&](const ConvolutionArguments& x) { Convolution::run(context, x); });
      if (first.empty()) first = r;
      CHECK(std::memcmp(first.data(), r.data(), r.size() * sizeof(float)) == 0, threads, " threads, ",
            p.text());
    }
    Context context(2, detect_cpu_features());
    const guarded::vector<float> one_by_one = p.result([&](const ConvolutionArguments& x) {
      for (int64_t n = 0; n < x.src.dim[0]; ++n) {
        ConvolutionArguments image = x;
        image.src.data = x.src.image(n), image.dst.data = x.dst.image(n);
        image.src.dim[0] = image.dst.dim[0] = 1;
        Convolution::run(context, image);
      }
    });
    CHECK(std::memcmp(first.data(), one_by_one.data(), first.size() * sizeof(float)) == 0, "image by image, ",
          p.text());
  }
}

TEST(fused_trims_and_relu_equal_separate_ones) {
  for (const auto& row : Convolution::rows()) {
    Context context(2, detect_cpu_features());
    cases::Random random(4);
    for (int round = 0; round < 80; ++round) {
      // Whole numbers and formats with few fraction bits: sums are exact, so the rounding is too.
      Problem p(Problem::random_shape(random), random, true);
      for (float& x : p.src) x *= 0.25f;
      const auto format = [&](TrimFormat& f) {
        f.kind = FormatKind::dynamic_fixed_point;
        f.bit_width = int(random.integer(2, 10));
        f.fractional_length = int(random.integer(-2, 3));
      };
      if (round % 3 != 1) format(p.a.src_trim);
      if (round % 3 != 0) format(p.a.dst_trim);
      if (!row.supports(p.a, context.features)) continue;
      const guarded::vector<float> expected = p.expected();
      const guarded::vector<float> actual =
          p.result([&](const ConvolutionArguments& x) { row.run(context, x); });
      for (size_t i = 0; i < actual.size(); ++i)
        CHECK_EQUAL(actual[i], expected[i], row.name, " element ", i, " ", p.text());
    }
  }
}

TEST(packed_weights_are_reused_until_their_version_changes) {
  cases::Random random(5);
  Context context(2, detect_cpu_features());
  Problem p({2, 16, 9, 9, 20, 3, 3, 1, 1, 1, 1, 1, 1, 2}, random, true);
  PackedWeights packed;
  p.a.packed = &packed;
  p.a.weights_version = 1;
  const auto run = [&](const ConvolutionArguments& x) { Convolution::run(context, x); };
  const guarded::vector<float> first = p.result(run);
  CHECK(first == p.expected());
  for (float& w : p.weights) w += 1;
  CHECK(p.result(run) == first, "the old weights, since the version did not change");
  p.a.weights_version = 2;
  CHECK(p.result(run) == p.expected());
  p.a.winograd = true;
  CHECK(convolution_winograd_supports(p.a));
  p.result(run);
  CHECK(packed.version == 2);
  p.a.winograd = false;
  CHECK(p.result(run) == p.expected(), "after another algorithm has packed");
}

TEST(a_nan_in_a_trimmed_blob_is_an_error_and_passes_elsewhere) {
  cases::Random random(6);
  Context context(2, detect_cpu_features());
  Problem p({1, 3, 8, 8, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1}, random, true);
  p.a.relu = true;
  p.src[100] = std::nanf("");
  const guarded::vector<float> plain =
      p.result([&](const ConvolutionArguments& x) { Convolution::run(context, x); });
  int nans = 0;
  for (float x : plain) nans += std::isnan(x);
  CHECK_EQUAL(nans, 4 * 9);
  p.a.src_trim.kind = FormatKind::dynamic_fixed_point;
  const auto message = [&] {
    try {
      p.result([&](const ConvolutionArguments& x) { Convolution::run(context, x); });
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK_EQUAL(message(), "NaN in the layer's input");
  p.a.src_trim.kind = FormatKind::none;
  p.a.dst_trim.kind = FormatKind::dynamic_fixed_point;
  CHECK_EQUAL(message(), "NaN in the layer's output");
}

TEST(what_does_not_fit_together_is_refused) {
  cases::Random random(8);
  const Problem good({1, 4, 8, 8, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1}, random, true);
  const auto refused = [&](const std::function<void(ConvolutionArguments&)>& spoil) {
    ConvolutionArguments a = good.a;
    spoil(a);
    try {
      Convolution::check(a);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK(!refused([](ConvolutionArguments&) {}));
  CHECK(refused([](ConvolutionArguments& a) { a.stride_h = 0; }));
  CHECK(refused([](ConvolutionArguments& a) { a.stride_w = 2; }));
  CHECK(refused([](ConvolutionArguments& a) { a.pad_h = -1; }));
  CHECK(refused([](ConvolutionArguments& a) { a.pad_h = int64_t{1} << 62; }));
  CHECK(refused([](ConvolutionArguments& a) { a.dilation_w = 0; }));
  CHECK(refused([](ConvolutionArguments& a) { a.group = 0; }));
  CHECK(refused([](ConvolutionArguments& a) { a.group = 2; }));
  CHECK(refused([](ConvolutionArguments& a) { a.dst.dim[2] = 7; }));
  CHECK(refused([](ConvolutionArguments& a) { a.weights.dim[1] = 3; }));
  CHECK(refused([](ConvolutionArguments& a) { a.weights.rank = 2; }));
  CHECK(refused([](ConvolutionArguments& a) { a.src.data = nullptr; }));
  CHECK(refused([](ConvolutionArguments& a) { a.src.type = DataType::i8; }));
  CHECK(refused([](ConvolutionArguments& a) { a.dilation_h = 100; }));
}

#include "core/op/convolution/convolution_gradient.h"

#include <cstring>

#include "check.h"
#include "core/cpu/float_kernels.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

using Shape = cases::WindowShape;

Shape random_shape(cases::Random& random) {
  if (random.integer(0, 2) == 0) return Shape::small(random);
  Shape s{};
  s.n = random.integer(1, 4);
  s.group = random.integer(0, 3) ? 1 : random.integer(2, 3);
  s.c = s.group * random.integer(1, random.integer(0, 4) ? 8 : 40);
  s.k = s.group * random.integer(1, random.integer(0, 4) ? 12 : 50);
  if (random.integer(0, 7) == 0) s.group = s.c, s.k = s.c * random.integer(1, 2);  // depthwise
  s.take_window(random, 5, 7);
  s.h = random.integer(0, 2) ? random.integer(1, 16) : random.integer(20, 40);
  s.w = random.integer(0, 2) ? random.integer(1, 16) : random.integer(20, 40);
  s.hold_window();
  return s;
}

// What the forward pass's Winograd takes: 3 x 3, stride 1, some channels.
Shape random_winograd_shape(cases::Random& random) {
  Shape s{};
  s.n = random.integer(1, 4);
  s.group = random.integer(0, 3) ? 1 : 2;
  s.c = s.group * random.integer(8, 40);
  s.k = s.group * random.integer(8, 40);
  s.r = s.s = 3;
  s.stride_h = s.stride_w = s.dilation_h = s.dilation_w = 1;
  s.pad_h = random.integer(0, 2);
  s.pad_w = random.integer(0, 2);
  s.h = random.integer(6, random.integer(0, 3) ? 16 : 40);
  s.w = random.integer(6, random.integer(0, 3) ? 16 : 40);
  return s;
}

// A random problem with its memory. Tensors with images may be channel slices of larger ones, whose rest must
// stay untouched; sums start from values that are not 0.
struct Problem {
  ConvolutionGradientArguments a;
  guarded::vector<float> src, weights, dst_diff, src_diff, weights_diff, bias_diff;

  Problem(const Shape& s, cases::Random& random, bool whole) {
    a.stride_h = s.stride_h, a.stride_w = s.stride_w, a.pad_h = s.pad_h, a.pad_w = s.pad_w;
    a.dilation_h = s.dilation_h, a.dilation_w = s.dilation_w, a.group = s.group;
    const int64_t p = (s.h + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
    const int64_t q = (s.w + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
    const auto images = [&](guarded::vector<float>& memory, int64_t c, int64_t h, int64_t w) {
      const int64_t gap = random.integer(0, 2) ? 0 : random.integer(1, 50), image = c * h * w;
      // No slack after the last image, so that touching what lies behind it shows.
      memory = random.values(s.n * (image + gap) - gap, whole);
      Tensor tensor = Tensor::of(memory.data(), {s.n, c, h, w});
      tensor.image_stride = image + gap;
      return tensor;
    };
    a.src = images(src, s.c, s.h, s.w);
    a.dst_diff = images(dst_diff, s.k, p, q);
    weights = random.values(s.k * (s.c / s.group) * s.r * s.s, whole);
    a.weights = Tensor::of(weights.data(), {s.k, s.c / s.group, s.r, s.s});
    if (random.integer(0, 3)) a.src_diff = images(src_diff, s.c, s.h, s.w);
    if (random.integer(0, 3)) {
      weights_diff = random.values(weights.size(), whole);
      a.weights_diff = Tensor::of(weights_diff.data(), {s.k, s.c / s.group, s.r, s.s});
    }
    if (random.integer(0, 3)) {
      bias_diff = random.values(s.k, whole);
      a.bias_diff = Tensor::of(bias_diff.data(), {s.k});
    }
  }

  std::string text() const {
    std::ostringstream out;
    out << "src " << a.src.shape_text() << " weights " << a.weights.shape_text() << " stride " << a.stride_h
        << "," << a.stride_w << " pad " << a.pad_h << "," << a.pad_w << " dilation " << a.dilation_h << ","
        << a.dilation_w << " group " << a.group;
    return out.str();
  }

  using Results = cases::Gradients;

  template <class Run>
  Results results(const Run& run) const {
    Results r{src_diff, weights_diff, bias_diff};
    ConvolutionGradientArguments copy = a;
    copy.src_diff.data = copy.src_diff ? r.src_diff.data() : nullptr;
    copy.weights_diff.data = copy.weights_diff ? r.weights_diff.data() : nullptr;
    copy.bias_diff.data = copy.bias_diff ? r.bias_diff.data() : nullptr;
    run(copy);
    return r;
  }
  Results expected() const {
    Context context(1, CpuFeatures{});
    return results([&](const ConvolutionGradientArguments& x) { convolution_gradient_ref(context, x); });
  }
  // The same sums over absolute values.
  Results magnitude() const {
    Problem p = *this;
    for (guarded::vector<float>* v :
         {&p.src, &p.weights, &p.dst_diff, &p.src_diff, &p.weights_diff, &p.bias_diff})
      *v = cases::absolute(*v);
    p.a.src.data = p.src.data(), p.a.weights.data = p.weights.data(), p.a.dst_diff.data = p.dst_diff.data();
    return p.expected();
  }
};

void check_values(const char* row, const char* name, const Problem& p, bool whole, int64_t depth,
                  const guarded::vector<float>& actual, const guarded::vector<float>& expected,
                  const guarded::vector<float>& magnitude) {
  CHECK_EQUAL(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    if (whole)
      CHECK_EQUAL(actual[i], expected[i], row, " ", name, " element ", i, " ", p.text());
    else
      CHECK(std::fabs(actual[i] - expected[i]) <= cases::sum_tolerance(depth, std::fabs(magnitude[i])), row,
            " ", name, " element ", i, ": ", actual[i], " for ", expected[i], " ", p.text());
  }
}

void check_against_definition(const KernelRow<ConvolutionGradientArguments>& row, const Problem& p,
                              bool whole, Context& context) {
  const Problem::Results expected = p.expected(), magnitude = p.magnitude();
  const Problem::Results actual =
      p.results([&](const ConvolutionGradientArguments& x) { row.run(context, x); });
  const int64_t pixels = p.a.dst_diff.images() * p.a.dst_diff.count(2);
  check_values(row.name, "src_diff", p, whole, p.a.weights.dim[0] * p.a.weights.count(2), actual.src_diff,
               expected.src_diff, magnitude.src_diff);
  check_values(row.name, "weights_diff", p, whole, pixels, actual.weights_diff, expected.weights_diff,
               magnitude.weights_diff);
  check_values(row.name, "bias_diff", p, whole, pixels, actual.bias_diff, expected.bias_diff,
               magnitude.bias_diff);
}

}  // namespace

// A second definition, from the forward pass: the loss <dst_diff, convolution(src, weights) + bias> is linear
// in each of the three, so its change by a unit step along any element is that element's gradient.
TEST(definition_is_the_derivative_of_the_forward_pass) {
  cases::Random random(7);
  Context context(1, CpuFeatures{});
  for (int round = 0; round < 40; ++round) {
    Shape s = random_shape(random);
    s.n = std::min<int64_t>(s.n, 2), s.h = std::min<int64_t>(s.h, 16), s.w = std::min<int64_t>(s.w, 16);
    s.hold_window();
    Problem p(s, random, true);
    const Problem::Results actual = p.expected();
    const auto loss = [&](const guarded::vector<float>& src, const guarded::vector<float>& weights) {
      ConvolutionArguments f;
      f.src = p.a.src, f.weights = p.a.weights, f.dst = p.a.dst_diff;
      f.src.data = const_cast<float*>(src.data()), f.weights.data = const_cast<float*>(weights.data());
      guarded::vector<float> dst(p.dst_diff.size());
      f.dst.data = dst.data();
      f.stride_h = p.a.stride_h, f.stride_w = p.a.stride_w, f.pad_h = p.a.pad_h, f.pad_w = p.a.pad_w;
      f.dilation_h = p.a.dilation_h, f.dilation_w = p.a.dilation_w, f.group = p.a.group;
      convolution_ref(context, f);
      double total = 0;
      for (int64_t n = 0; n < f.dst.images(); ++n)
        for (int64_t i = 0; i < f.dst.image_count(); ++i)
          total += double(f.dst.image(n)[i]) * p.a.dst_diff.image(n)[i];
      return total;
    };
    const double base = loss(p.src, p.weights);
    for (int step = 0; step < 8; ++step) {
      if (p.a.weights_diff) {
        const size_t i = random.integer(0, p.weights.size() - 1);
        guarded::vector<float> moved = p.weights;
        moved[i] += 1;
        CHECK_EQUAL(double(actual.weights_diff[i]) - p.weights_diff[i], loss(p.src, moved) - base, p.text());
      }
      if (p.a.src_diff) {
        const int64_t n = random.integer(0, p.a.src.images() - 1),
                      i = random.integer(0, p.a.src.image_count() - 1);
        guarded::vector<float> moved = p.src;
        moved[n * p.a.src.image_stride + i] += 1;
        CHECK_EQUAL(double(actual.src_diff[n * p.a.src_diff.image_stride + i]), loss(moved, p.weights) - base,
                    p.text());
      }
    }
  }
}

TEST(every_row_agrees_with_the_definition) {
  for (const auto& row : ConvolutionGradient::rows()) {
    Context context(2, detect_cpu_features());
    cases::Random random(1);
    for (int round = 0; round < 150; ++round) {
      const bool whole = round % 2;
      const Problem p(random_shape(random), random, whole);
      if (!row.supports(p.a, context.features)) continue;
      check_against_definition(row, p, whole, context);
    }
  }
}

TEST(winograd_agrees_with_the_definition) {
  Context context(2, detect_cpu_features());
  cases::Random random(2);
  for (int round = 0; round < 40; ++round) {
    Problem p(random_winograd_shape(random), random, false);
    p.a.winograd = true;
    const Problem::Results expected = p.expected();
    const Problem::Results actual =
        p.results([&](const ConvolutionGradientArguments& x) { ConvolutionGradient::run(context, x); });
    // The bound that the forward pass's test sets.
    const auto compare = [&](const char* name, const guarded::vector<float>& values,
                             const guarded::vector<float>& right) {
      double most = 0;
      for (float x : right) most = std::max(most, double(std::fabs(x)));
      for (size_t i = 0; i < values.size(); ++i)
        CHECK(std::fabs(values[i] - right[i]) <= 4e-6 * most, name, " element ", i, ": ", values[i], " for ",
              right[i], " of at most ", most, " ", p.text());
    };
    compare("src_diff", actual.src_diff, expected.src_diff);
    compare("weights_diff", actual.weights_diff, expected.weights_diff);
  }
}

// The weights' gradient in Winograd's form by every instruction set, on shapes with ragged tiles, more
// channels than are transformed at once, panels of every width, images that share a unit and units that share
// an image.
TEST(winograd_weights_of_every_row) {
  const CpuFeatures features = detect_cpu_features();
  Context context(2, features);
  std::vector<KernelRow<ConvolutionGradientArguments>> rows;
  for (const auto& row : ConvolutionGradient::rows())
    if (std::string(row.name).find("winograd") != std::string::npos) rows.push_back(row);
  CHECK_EQUAL(rows.size(), size_t(3));
  if (const FloatKernels* paired = float_kernels_paired_avx2(); paired && paired->available(features))
    rows.push_back({"paired avx2 winograd",
                    [](const ConvolutionGradientArguments& a, const CpuFeatures&) {
                      return convolution_weights_winograd_supports(a);
                    },
                    [](Context& c, const ConvolutionGradientArguments& a) {
                      convolution_weights_winograd(c, a, *float_kernels_paired_avx2());
                    }});
  cases::Random random(8);
  for (const Shape& s : {Shape{2, 8, 16, 16, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1},
                         Shape{13, 24, 13, 15, 52, 3, 3, 1, 1, 1, 1, 1, 1, 1},
                         Shape{3, 70, 30, 21, 19, 3, 3, 1, 1, 0, 2, 1, 1, 1},
                         Shape{2, 40, 33, 64, 36, 3, 3, 1, 1, 2, 0, 1, 1, 2},
                         Shape{40, 9, 4, 4, 100, 3, 3, 1, 1, 1, 1, 1, 1, 1}}) {
    Problem p(s, random, false);
    // Biases are plain sums, exact where the gradients are whole.
    p.dst_diff = random.values(p.dst_diff.size(), true);
    p.a.dst_diff.data = p.dst_diff.data();
    p.a.winograd = true;
    p.a.src_diff = {};
    p.weights_diff = random.values(p.weights.size(), false);
    p.a.weights_diff = p.a.weights;
    p.a.weights_diff.data = p.weights_diff.data();
    p.bias_diff = random.values(s.k, true);
    p.a.bias_diff = Tensor::of(p.bias_diff.data(), {s.k});
    CHECK(convolution_weights_winograd_supports(p.a), p.text());
    const Problem::Results expected = p.expected();
    double most = 0;
    for (float x : expected.weights_diff) most = std::max(most, double(std::fabs(x)));
    for (const auto& row : rows) {
      if (!row.supports(p.a, features)) continue;
      const Problem::Results actual =
          p.results([&](const ConvolutionGradientArguments& x) { row.run(context, x); });
      for (size_t i = 0; i < actual.weights_diff.size(); ++i)
        CHECK(std::fabs(actual.weights_diff[i] - expected.weights_diff[i]) <= 4e-6 * most, row.name,
              " element ", i, ": ", actual.weights_diff[i], " for ", expected.weights_diff[i], " of at most ",
              most, " ", p.text());
      CHECK(actual.bias_diff == expected.bias_diff, row.name, " ", p.text());
    }
  }
}

TEST(winograd_weights_only_where_allowed_and_gained_by) {
  cases::Random random(9);
  const Shape shape{2, 16, 20, 20, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1};
  const auto taken = [&](auto change) {
    Shape s = shape;
    change(s);
    Problem p(s, random, true);
    p.a.winograd = true;
    p.a.weights_diff = p.a.weights;
    return convolution_weights_winograd_supports(p.a);
  };
  CHECK(taken([](Shape&) {}));
  CHECK(!taken([](Shape& s) { s.stride_w = 2; }));
  CHECK(!taken([](Shape& s) { s.dilation_h = 2; }));
  CHECK(!taken([](Shape& s) { s.r = 2; }));
  CHECK(!taken([](Shape& s) { s.c = 4; }));
  CHECK(!taken([](Shape& s) { s.k = 4; }));
  CHECK(!taken([](Shape& s) { s.n = 1; }));                  // fewer tiles than the way back costs
  CHECK(!taken([](Shape& s) { s.n = 40, s.h = s.w = 5; }));  // tiles hang over the edge
  Problem p(shape, random, true);
  p.a.weights_diff = p.a.weights;
  p.a.winograd = false;
  CHECK(!convolution_weights_winograd_supports(p.a));
}

TEST(results_do_not_depend_on_the_threads) {
  const CpuFeatures features = detect_cpu_features();
  Context one(1, features), two(2, features), three(3, features);
  cases::Random random(3);
  for (int round = 0; round < 60; ++round) {
    Problem p(round % 3 ? random_shape(random) : random_winograd_shape(random), random, false);
    p.a.winograd = round % 2;
    const auto with = [&](Context& context) {
      return p.results([&](const ConvolutionGradientArguments& x) { ConvolutionGradient::run(context, x); });
    };
    const Problem::Results alone = with(one);
    CHECK(alone == with(two), p.text());
    CHECK(alone == with(three), p.text());
  }
}

TEST(images_and_outputs_of_many_parts_and_blocks) {
  Context context(3, detect_cpu_features());
  cases::Random random(4);
  for (const Shape& s : {Shape{11, 5, 30, 31, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1},
                         Shape{1, 3, 70, 64, 17, 7, 7, 2, 2, 3, 3, 1, 1, 1},
                         Shape{2, 70, 50, 60, 9, 1, 1, 1, 1, 0, 0, 1, 1, 1},
                         Shape{1, 300, 9, 9, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1}}) {
    const Problem p(s, random, true);
    for (const auto& row : ConvolutionGradient::rows())
      if (row.supports(p.a, context.features)) check_against_definition(row, p, true, context);
  }
}

TEST(no_images_add_nothing) {
  Context context(1, detect_cpu_features());
  cases::Random random(5);
  Problem p({1, 2, 4, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1}, random, true);
  p.weights_diff = random.values(p.weights.size(), true);
  p.a.weights_diff = p.a.weights;
  p.a.weights_diff.data = p.weights_diff.data();
  p.a.src.dim[0] = p.a.dst_diff.dim[0] = 0;
  p.a.src_diff = {};
  const guarded::vector<float> before = p.weights_diff;
  ConvolutionGradient::run(context, p.a);
  CHECK(p.weights_diff == before);
}

TEST(misfits_are_errors) {
  cases::Random random(6);
  const Problem p({1, 4, 6, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 2}, random, true);
  const auto fails = [&](auto change) {
    ConvolutionGradientArguments a = p.a;
    change(a);
    try {
      ConvolutionGradient::check(a);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK(!fails([](auto&) {}));
  CHECK(fails([](auto& a) { a.group = 3; }));
  CHECK(fails([](auto& a) { a.stride_h = 2; }));
  CHECK(fails([](auto& a) { a.src_diff = a.dst_diff; }));
  CHECK(fails([](auto& a) { a.weights_diff = a.src; }));
  CHECK(fails([](auto& a) { a.bias_diff = a.weights; }));
}

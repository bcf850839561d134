// Fully connected layers and their gradients on the device, against the definition and the processor's.
#include "core/op/convolution/inner_product.h"

#include <cmath>

#include "../native/float_cases.h"
#include "core/op/convolution/inner_product_gradient.h"
#include "cuda/ops.h"
#include "device.h"
#include "sums.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Sizes {
  int64_t m, n, k, src_gap, dst_gap;
  bool transpose;
};

Sizes random_sizes(cases::Random& random) {
  Sizes s{};
  s.m = random.integer(0, 2) ? random.integer(1, random.integer(0, 2) ? 30 : 140) : 1;
  s.n = random.integer(1, random.integer(0, 3) ? 60 : 300);
  s.k = random.integer(1, random.integer(0, 3) ? 50 : 900);  // some are cut into parts
  s.src_gap = random.integer(0, 1) * 5, s.dst_gap = random.integer(0, 1) * 3;
  s.transpose = random.integer(0, 1);
  return s;
}

std::string text_of(const Sizes& s) {
  return check::text(s.m, " rows, ", s.n, " outputs, ", s.k, " inputs", s.transpose ? ", transposed" : "");
}

// Rows of `columns` elements, `gap` apart; no slack after the last.
struct Rows {
  guarded::vector<float> values;
  int64_t rows, columns, gap;
  Rows(cases::Random& random, int64_t rows, int64_t columns, int64_t gap, bool whole)
      : values(random.values(rows * (columns + gap) - gap, whole)), rows(rows), columns(columns), gap(gap) {}
  Tensor over(float* memory) const {
    Tensor t = Tensor::of(memory, {rows, columns});
    t.image_stride = columns + gap;
    return t;
  }
};

struct Problem {
  Sizes sizes;
  Rows src, weights, dst;
  guarded::vector<float> bias;
  InnerProductArguments a;  // all but the tensors

  Problem(const Sizes& s, cases::Random& random, bool whole)
      : sizes(s),
        src(random, s.m, s.k, s.src_gap, whole),
        weights(random, s.transpose ? s.k : s.n, s.transpose ? s.n : s.k, 0, whole),
        dst(random, s.m, s.n, s.dst_gap, whole),
        bias(random.integer(0, 2) ? random.values(s.n, whole) : guarded::vector<float>()) {
    a.transpose = s.transpose;
    a.relu = random.integer(0, 1);
  }

  // All of dst's memory; Memory is guarded::vector<float> or Shared<float>.
  template <class Memory, class Run>
  guarded::vector<float> result(const Run& run) const {
    Memory s(src.values), w(weights.values), b(bias), d(dst.values);
    InnerProductArguments copy = a;
    copy.src = src.over(s.data()), copy.weights = weights.over(w.data()), copy.dst = dst.over(d.data());
    if (!bias.empty()) copy.bias = Tensor::of(b.data(), {sizes.n});
    run(copy);
    return guarded::vector<float>(d.begin(), d.end());
  }
  guarded::vector<float> expected() const {
    ristretto::Context context(1, CpuFeatures{});
    return result<guarded::vector<float>>([&](const auto& x) { inner_product_ref(context, x); });
  }
  guarded::vector<float> actual() const {
    return result<Shared<float>>([&](const auto& x) {
      CHECK(cuda::run(test_context(), x), text_of(sizes));
      test_context().synchronize();
    });
  }
  guarded::vector<float> magnitude() const {
    Problem p = *this;
    for (guarded::vector<float>* v : {&p.src.values, &p.weights.values, &p.bias}) *v = cases::absolute(*v);
    return p.expected();
  }
};

using cases::Gradients;

struct GradientProblem {
  Sizes sizes;
  Rows src, weights, dst_diff, src_diff, weights_diff;
  guarded::vector<float> bias_diff;
  int which;  // a bit for each of the three

  GradientProblem(const Sizes& s, cases::Random& random, bool whole)
      : sizes(s),
        src(random, s.m, s.k, s.src_gap, whole),
        weights(random, s.transpose ? s.k : s.n, s.transpose ? s.n : s.k, 0, whole),
        dst_diff(random, s.m, s.n, s.dst_gap, whole),
        src_diff(random, s.m, s.k, s.dst_gap, whole),
        weights_diff(random, weights.rows, weights.columns, 0, whole),
        bias_diff(random.values(s.n, whole)),
        which(int(random.integer(1, 7))) {}

  template <class Memory, class Run>
  Gradients results(const Run& run) const {
    Memory s(src.values), w(weights.values), d(dst_diff.values);
    Memory to_src(src_diff.values), to_weights(weights_diff.values), to_bias(bias_diff);
    InnerProductGradientArguments a;
    a.transpose = sizes.transpose;
    a.src = src.over(s.data()), a.weights = weights.over(w.data()), a.dst_diff = dst_diff.over(d.data());
    if (which & 1) a.src_diff = src_diff.over(to_src.data());
    if (which & 2) a.weights_diff = weights_diff.over(to_weights.data());
    if (which & 4) a.bias_diff = Tensor::of(to_bias.data(), {sizes.n});
    run(a);
    const auto values = [](const Memory& x) { return guarded::vector<float>(x.begin(), x.end()); };
    return {values(to_src), values(to_weights), values(to_bias)};
  }
  Gradients expected() const {
    ristretto::Context context(1, CpuFeatures{});
    return results<guarded::vector<float>>([&](const auto& x) { InnerProductGradient::run(context, x); });
  }
  Gradients actual() const {
    return results<Shared<float>>([&](const auto& x) {
      CHECK(cuda::run(test_context(), x), text_of(sizes));
      test_context().synchronize();
    });
  }
  Gradients magnitude() const {
    GradientProblem p = *this;
    for (guarded::vector<float>* v : {&p.src.values, &p.weights.values, &p.dst_diff.values,
                                      &p.src_diff.values, &p.weights_diff.values, &p.bias_diff})
      *v = cases::absolute(*v);
    return p.expected();
  }
};

}  // namespace

TEST(inner_products_agree_with_the_definition) {
  cases::Random random(1);
  for (int round = 0; round < 60; ++round) {
    const bool whole = round % 2 == 0;
    const Problem p(random_sizes(random), random, whole);
    const guarded::vector<float> expected = p.expected();
    cases::check_sums(whole, p.actual(), expected, whole ? expected : p.magnitude(),
                      "dst of " + text_of(p.sizes));
  }
}

TEST(sums_do_not_depend_on_the_batch) {
  cases::Random random(2);
  const Problem p({40, 70, 900, 0, 0, false}, random, false);
  const guarded::vector<float> whole = p.actual();
  Problem first = p;
  first.src.rows = first.dst.rows = 1;
  const guarded::vector<float> one = first.actual();
  for (int64_t n = 0; n < 70; ++n) CHECK_EQUAL(one[size_t(n)], whole[size_t(n)], n);
}

TEST(trims_are_the_definitions_own) {
  cases::Random random(3);
  for (int round = 0; round < 24; ++round) {
    Problem p(random_sizes(random), random, true);
    TrimFormat format;
    format.kind = round % 2 ? FormatKind::minifloat : FormatKind::dynamic_fixed_point;
    format.rounding = round % 3 ? Rounding::stochastic : Rounding::half_away_from_zero;
    format.bit_width = 6, format.fractional_length = -1, format.mantissa_bits = 1, format.exponent_bits = 5;
    if (round % 4 != 1) p.a.src_trim = format;
    if (round % 4 != 2) p.a.dst_trim = format;
    p.a.src_random = {random.engine(), 5, 6, 7};
    p.a.dst_random = {random.engine(), 8, 9, 0xFFFFFFFFu};
    const guarded::vector<float> expected = p.expected();
    cases::check_sums(true, p.actual(), expected, expected, "dst of " + text_of(p.sizes));
  }
}

TEST(gradients_agree_with_the_processor) {
  cases::Random random(4);
  for (int round = 0; round < 60; ++round) {
    const bool whole = round % 2 == 0;
    Sizes sizes = random_sizes(random);
    if (round % 10 == 0) sizes.n = random.integer(500, 700), sizes.m = 3;  // cut along the outputs
    if (round % 10 == 1) sizes.m = 600, sizes.n = 20, sizes.k = 30;        // and along the batch
    const GradientProblem p(sizes, random, whole);
    const Gradients expected = p.expected(), actual = p.actual(), bound = whole ? expected : p.magnitude();
    cases::check_sums(whole, actual.src_diff, expected.src_diff, bound.src_diff,
                      "src_diff of " + text_of(p.sizes));
    cases::check_sums(whole, actual.weights_diff, expected.weights_diff, bound.weights_diff,
                      "weights_diff of " + text_of(p.sizes));
    cases::check_sums(whole, actual.bias_diff, expected.bias_diff, bound.bias_diff,
                      "bias_diff of " + text_of(p.sizes));
  }
}

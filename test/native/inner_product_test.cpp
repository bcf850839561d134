// Also run through SIMDe.
#include "core/op/convolution/inner_product.h"

#include <cstring>

#include "check.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

struct Problem {
  InnerProductArguments a;
  guarded::vector<float> src, weights, bias, dst;

  Problem(cases::Random& random, bool whole) {
    const int64_t m = random.integer(0, 2) ? random.integer(1, 30) : 1,
                  n = random.integer(1, random.integer(0, 3) ? 60 : 300);
    const int64_t k = random.integer(1, random.integer(0, 3) ? 50 : 900);
    const int64_t src_gap = random.integer(0, 1) * 5, dst_gap = random.integer(0, 1) * 3;
    a.transpose = random.integer(0, 1);
    src = random.values(m * (k + src_gap) - src_gap, whole);
    weights = random.values(n * k, whole);
    bias = random.values(n, whole);
    dst = random.values(m * (n + dst_gap) - dst_gap, whole);
    a.src = Tensor::of(src.data(), {m, k});
    a.src.image_stride = k + src_gap;
    a.weights = a.transpose ? Tensor::of(weights.data(), {k, n}) : Tensor::of(weights.data(), {n, k});
    if (random.integer(0, 2)) a.bias = Tensor::of(bias.data(), {n});
    a.dst = Tensor::of(dst.data(), {m, n});
    a.dst.image_stride = n + dst_gap;
    a.relu = random.integer(0, 1);
  }

  template <class Run>
  guarded::vector<float> result(const Run& run) const {
    guarded::vector<float> memory = dst;
    InnerProductArguments copy = a;
    copy.dst.data = memory.data();
    run(copy);
    return memory;
  }
  guarded::vector<float> expected() const {
    Context context(1, CpuFeatures{});
    return result([&](const InnerProductArguments& x) { inner_product_ref(context, x); });
  }
  guarded::vector<float> magnitude() const {
    Problem p = *this;
    p.src = cases::absolute(p.src), p.weights = cases::absolute(p.weights), p.bias = cases::absolute(p.bias);
    p.a.src.data = p.src.data(), p.a.weights.data = p.weights.data();
    if (p.a.bias) p.a.bias.data = p.bias.data();
    return p.expected();
  }
  std::string text() const {
    return a.src.shape_text() + " x " + a.weights.shape_text() + (a.transpose ? " transposed" : "");
  }
};

}  // namespace

TEST(every_row_agrees_with_the_definition) {
  for (const auto& row : InnerProduct::rows()) {
    for (int threads : {1, 3}) {
      Context context(threads, detect_cpu_features());
      cases::Random random(1);
      for (int round = 0; round < 120; ++round) {
        const bool whole = round % 2 == 0;
        const Problem p(random, whole);
        InnerProduct::check(p.a);
        if (!row.supports(p.a, context.features)) continue;
        const guarded::vector<float> expected = p.expected(), bound = p.magnitude();
        const guarded::vector<float> actual =
            p.result([&](const InnerProductArguments& x) { row.run(context, x); });
        for (size_t i = 0; i < actual.size(); ++i) {
          if (whole)
            CHECK_EQUAL(actual[i], expected[i], row.name, " element ", i, " ", p.text());
          else
            CHECK(std::fabs(actual[i] - expected[i]) <=
                      cases::sum_tolerance(p.a.src.dim[1], std::fabs(bound[i])),
                  row.name, " element ", i, " ", p.text());
        }
      }
    }
  }
}

TEST(results_do_not_depend_on_threads_or_batch) {
  cases::Random random(3);
  for (int round = 0; round < 30; ++round) {
    const Problem p(random, false);
    guarded::vector<float> first;
    for (int threads : {1, 2, 5}) {
      Context context(threads, detect_cpu_features());
      const guarded::vector<float> r =
          p.result([&](const InnerProductArguments& x) { InnerProduct::run(context, x); });
      if (first.empty()) first = r;
      CHECK(std::memcmp(first.data(), r.data(), r.size() * sizeof(float)) == 0, threads, " threads, ",
            p.text());
    }
    Context context(2, detect_cpu_features());
    const guarded::vector<float> one_by_one = p.result([&](const InnerProductArguments& x) {
      for (int64_t m = 0; m < x.src.dim[0]; ++m) {
        InnerProductArguments row = x;
        row.src.data = x.src.image(m), row.dst.data = x.dst.image(m);
        row.src.dim[0] = row.dst.dim[0] = 1;
        InnerProduct::run(context, row);
      }
    });
    CHECK(std::memcmp(first.data(), one_by_one.data(), first.size() * sizeof(float)) == 0, "row by row, ",
          p.text());
  }
}

TEST(fused_trims_and_relu_equal_separate_ones) {
  for (const auto& row : InnerProduct::rows()) {
    Context context(2, detect_cpu_features());
    cases::Random random(4);
    for (int round = 0; round < 60; ++round) {
      Problem p(random, true);
      for (float& x : p.src) x *= 0.25f;
      for (TrimFormat* f : {&p.a.src_trim, &p.a.dst_trim}) {
        if (random.integer(0, 2) == 0) continue;
        f->kind = FormatKind::dynamic_fixed_point;
        f->bit_width = int(random.integer(2, 10));
        f->fractional_length = int(random.integer(-2, 3));
      }
      if (!row.supports(p.a, context.features)) continue;
      const guarded::vector<float> expected = p.expected();
      const guarded::vector<float> actual =
          p.result([&](const InnerProductArguments& x) { row.run(context, x); });
      for (size_t i = 0; i < actual.size(); ++i)
        CHECK_EQUAL(actual[i], expected[i], row.name, " element ", i, " ", p.text());
    }
  }
}

TEST(packed_weights_are_reused_until_their_version_changes) {
  cases::Random random(5);
  Context context(2, detect_cpu_features());
  Problem p(random, true);
  PackedWeights packed;
  p.a.packed = &packed;
  p.a.weights_version = 1;
  const auto run = [&](const InnerProductArguments& x) { InnerProduct::run(context, x); };
  const guarded::vector<float> first = p.result(run);
  CHECK(first == p.expected());
  for (float& w : p.weights) w += 1;
  CHECK(p.result(run) == first, "the old weights, since the version did not change");
  p.a.weights_version = 2;
  CHECK(p.result(run) == p.expected());
}

TEST(what_does_not_fit_together_is_refused) {
  cases::Random random(6);
  const Problem good(random, true);
  const auto refused = [&](const std::function<void(InnerProductArguments&)>& spoil) {
    InnerProductArguments a = good.a;
    spoil(a);
    try {
      InnerProduct::check(a);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK(!refused([](InnerProductArguments&) {}));
  CHECK(refused([](InnerProductArguments& a) { a.weights.dim[0] += 1; }));
  CHECK(refused([](InnerProductArguments& a) { a.dst.dim[0] += 1; }));
  CHECK(refused([](InnerProductArguments& a) { a.src.type = DataType::i16; }));
  CHECK(refused([](InnerProductArguments& a) { a.dst.data = nullptr; }));
}

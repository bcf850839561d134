// Also run through SIMDe.
#include "core/op/convolution/gemm.h"

#include <cstring>

#include "check.h"
#include "core/op/convolution/float_panels.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

struct Problem {
  GemmArguments g;
  guarded::vector<float> a, b, c;

  Problem(cases::Random& random, bool whole) {
    g.m = random.integer(1, 70);
    g.n = random.integer(1, 200);
    g.k = random.integer(0, 6) == 0 ? random.integer(300, 700) : random.integer(1, 60);
    g.transpose_a = random.integer(0, 1);
    g.transpose_b = random.integer(0, 1);
    g.alpha = random.integer(0, 2) ? 1.0f : 2.0f;
    g.beta = float(random.integer(0, 2));
    g.lda = (g.transpose_a ? g.m : g.k) + random.integer(0, 3);
    g.ldb = (g.transpose_b ? g.k : g.n) + random.integer(0, 3);
    g.ldc = g.n + random.integer(0, 5);
    // Nothing behind the last row's last element.
    const auto rows = [&](int64_t count, int64_t width, int64_t stride) {
      return random.values((count - 1) * stride + width, whole);
    };
    a = g.transpose_a ? rows(g.k, g.m, g.lda) : rows(g.m, g.k, g.lda);
    b = g.transpose_b ? rows(g.n, g.k, g.ldb) : rows(g.k, g.n, g.ldb);
    c = rows(g.m, g.n, g.ldc);
    g.a = a.data();
    g.b = b.data();
  }
};

}  // namespace

TEST(every_row_of_gemm_agrees_with_the_definition) {
  for (const auto& row : Gemm::rows()) {
    for (int threads : {1, 2}) {
      Context context(threads, detect_cpu_features());
      cases::Random random(7);
      for (int round = 0; round < 80; ++round) {
        const bool whole = round % 2 == 0;
        Problem p(random, whole);
        if (!row.supports(p.g, context.features)) continue;
        guarded::vector<float> actual = p.c, expected = p.c, bound = cases::absolute(p.c);
        p.g.c = expected.data();
        Gemm::check(p.g);
        gemm_ref(context, p.g);
        p.g.c = actual.data();
        row.run(context, p.g);
        const guarded::vector<float> a = cases::absolute(p.a), b = cases::absolute(p.b);
        p.g.a = a.data(), p.g.b = b.data(), p.g.c = bound.data();
        gemm_ref(context, p.g);
        for (size_t i = 0; i < actual.size(); ++i) {
          if (whole || int64_t(i) % p.g.ldc >= p.g.n)
            CHECK_EQUAL(actual[i], expected[i], row.name, " element ", i, " of ", p.g.m, "x", p.g.n, "x",
                        p.g.k);
          else
            CHECK(std::fabs(actual[i] - expected[i]) <= cases::sum_tolerance(p.g.k, bound[i]), row.name,
                  " element ", i);
        }
      }
    }
  }
}

TEST(gemm_does_not_depend_on_the_number_of_threads) {
  cases::Random random(11);
  for (int round = 0; round < 20; ++round) {
    Problem p(random, false);
    guarded::vector<float> first;
    for (int threads : {1, 2, 3, 5}) {
      Context context(threads, detect_cpu_features());
      guarded::vector<float> c = p.c;
      p.g.c = c.data();
      Gemm::run(context, p.g);
      if (first.empty()) first = c;
      CHECK(std::memcmp(first.data(), c.data(), c.size() * sizeof(float)) == 0, "with ", threads, " threads");
    }
  }
}

TEST(gemm_refuses_sizes_that_do_not_fit) {
  float x[16] = {};
  GemmArguments g{.m = 2, .n = 2, .k = 3, .a = x, .lda = 2, .b = x, .ldb = 2, .c = x, .ldc = 2};
  Context context(1, detect_cpu_features());
  bool refused = false;
  try {
    Gemm::run(context, g);
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused);
}

TEST(cuts_cover_everything_once) {
  for (int64_t total : {0, 1, 5, 96, 147, 576, 2304}) {
    for (int64_t most : {1, 7, 128, 192}) {
      const Blocks blocks = cut(total, most);
      int64_t sum = 0;
      for (int64_t i = 0; i < blocks.count; ++i) {
        CHECK(blocks.length(i) <= most && (total == 0 || blocks.length(i) > 0), total, " by ", most);
        CHECK_EQUAL(blocks.begin(i), sum);
        sum += blocks.length(i);
      }
      CHECK_EQUAL(sum, total);
    }
  }
}

// Deconvolution and LRN: each kernel against its definition; losses, accuracy and arg max against hand-made
// numbers.
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "core/op/convolution/deconvolution.h"
#include "core/op/elementwise/unary.h"
#include "core/op/loss/accuracy.h"
#include "core/op/loss/loss.h"
#include "core/op/normalization/lrn.h"
#include "core/op/rows/arg_max.h"
#include "core/op/rows/softmax.h"

using namespace ristretto;

namespace {

guarded::vector<float> normal_values(size_t count) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  guarded::vector<float> values(count);
  for (float& x : values) x = normal(random);
  return values;
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

template <class Op, class Arguments>
void compare_rows(Arguments a, double tolerance, int least_rows) {
  Op::check(a);
  Context context(2, detect_cpu_features());
  guarded::vector<float> expected(a.dst.count()), actual(a.dst.count());
  a.dst.data = expected.data();
  Op::rows().back().run(context, a);
  int rows_run = 0;
  for (const auto& row : Op::rows()) {
    if (!row.supports(a, context.features)) continue;
    ++rows_run;
    std::fill(actual.begin(), actual.end(), 42.0f);
    a.dst.data = actual.data();
    row.run(context, a);
    for (size_t i = 0; i < actual.size(); ++i)
      CHECK(std::fabs(double(actual[i]) - expected[i]) <= tolerance, row.name, " at ", i, ": ", actual[i],
            " for ", expected[i]);
  }
  CHECK(rows_run >= least_rows);
}

}  // namespace

TEST(deconvolution_equals_its_definition) {
  for (int64_t group : {1, 2})
    for (int64_t stride : {1, 2, 3})
      for (int64_t dilation : {1, 2}) {
        const int64_t C = 6, K = 4, P = 5, Q = 7, R = 3, S = 4, pad_h = 1, pad_w = 2;
        DeconvolutionArguments a;
        auto src = normal_values(2 * C * P * Q), weights = normal_values(C * K / group * R * S),
             bias = normal_values(K);
        a.src = Tensor::of(src.data(), {2, C, P, Q});
        a.weights = Tensor::of(weights.data(), {C, K / group, R, S});
        a.bias = Tensor::of(bias.data(), {K});
        a.stride_h = stride, a.stride_w = stride + 1;
        a.dilation_h = a.dilation_w = dilation;
        a.pad_h = pad_h, a.pad_w = pad_w;
        a.group = group;
        a.relu = stride == 2;
        const int64_t H = a.stride_h * (P - 1) + dilation * (R - 1) + 1 - 2 * pad_h;
        const int64_t W = a.stride_w * (Q - 1) + dilation * (S - 1) + 1 - 2 * pad_w;
        guarded::vector<float> dst(2 * K * H * W);
        a.dst = Tensor::of(dst.data(), {2, K, H, W});
        compare_rows<Deconvolution>(a, 1e-5, 2);
      }
}

TEST(lrn_equals_its_definition) {
  for (LrnRegion region : {LrnRegion::across_channels, LrnRegion::within_channel})
    for (float beta : {0.75f, 0.5f, 1.0f, 0.6f})
      for (int64_t size : {1, 3, 5, 21}) {
        LrnArguments a;
        auto src = normal_values(2 * 7 * 13 * 17);
        guarded::vector<float> dst(src.size());
        a.src = Tensor::of(src.data(), {2, 7, 13, 17});
        a.dst = Tensor::of(dst.data(), {2, 7, 13, 17});
        a.region = region;
        a.size = size;
        a.alpha = 0.7f, a.beta = beta, a.k = 2;
        compare_rows<Lrn>(a, 1e-5, 2);
      }
}

TEST(ties_count_against_the_class) {
  guarded::vector<float> scores = {1, 1, 1, /**/ 3, 1, 2, /**/ 0, 5, 5}, labels = {0, 0, 2}, top(1),
                         classes(3);
  AccuracyArguments a;
  a.src = Tensor::of(scores.data(), {3, 3});
  a.labels = Tensor::of(labels.data(), {3});
  a.dst = Tensor::of(top.data(), {1});
  a.per_class = Tensor::of(classes.data(), {3});
  Context context(1, {});
  Accuracy::check(a);
  Accuracy::run(context, a);
  CHECK_EQUAL(top[0], 1.0f / 3);
  CHECK_EQUAL(classes[0], 0.5f);
  CHECK_EQUAL(classes[1], 0.0f);
  a.top_k = 2;
  Accuracy::run(context, a);
  CHECK_EQUAL(top[0], 2.0f / 3);
  for (float& x : scores) x = std::numeric_limits<float>::quiet_NaN();
  Accuracy::run(context, a);
  CHECK_EQUAL(top[0], 0.0f, "a net that gives NaN is never right");
}

TEST(a_label_that_is_no_class_is_an_error) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (float label : {3.0f, -1.0f, nan, 1e30f, -std::numeric_limits<float>::infinity()}) {
    guarded::vector<float> scores(6), labels = {0, label}, top(1);
    Context context(1, {});
    AccuracyArguments a;
    a.src = Tensor::of(scores.data(), {2, 3});
    a.labels = Tensor::of(labels.data(), {2});
    a.dst = Tensor::of(top.data(), {1});
    a.ignores = true, a.ignored = 2;
    CHECK(message_of([&] { Accuracy::run(context, a); }).find("is not a class") != std::string::npos, label);
    LabelLossArguments l;
    l.src = a.src, l.labels = a.labels, l.dst = a.dst;
    CHECK(message_of([&] { LabelLoss::run(context, l); }).find("is not a class") != std::string::npos, label);
  }
}

TEST(arg_max_takes_the_later_of_equals) {
  guarded::vector<float> scores = {1, 4, 4, std::numeric_limits<float>::quiet_NaN()}, top(3);
  ArgMaxArguments a;
  a.src = Tensor::of(scores.data(), {1, 4});
  a.dst = Tensor::of(top.data(), {1, 1, 3});
  a.length = 4;
  a.top_k = 3;
  Context context(1, {});
  ArgMax::check(a);
  ArgMax::run(context, a);
  CHECK_EQUAL(top[0], 2.0f);
  CHECK_EQUAL(top[1], 1.0f);
  CHECK_EQUAL(top[2], 0.0f);
}

TEST(softmax_does_not_overflow) {
  guarded::vector<float> x = {1000, 999, -1000};
  SoftmaxArguments a;
  a.src = a.dst = Tensor::of(x.data(), {1, 3});
  Context context(1, {});
  Softmax::check(a);
  Softmax::run(context, a);
  CHECK(std::fabs(x[0] - 0.7310586f) < 1e-6);
  CHECK_EQUAL(x[2], 0.0f);
}

TEST(unary_keeps_nan_and_skips_the_gaps_of_slices) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  guarded::vector<float> src = {-1, nan, 7, 3, -4, 7}, dst(6, 42);
  UnaryArguments u;
  u.src = Tensor::of(src.data(), {2, 2});
  u.dst = Tensor::of(dst.data(), {2, 2});
  u.src.image_stride = u.dst.image_stride = 3;
  Context context(2, {});
  Unary::check(u);
  Unary::run(context, u);
  CHECK_EQUAL(dst[0], 0.0f);
  CHECK(std::isnan(dst[1]));
  CHECK_EQUAL(dst[2], 42.0f);
  CHECK_EQUAL(dst[3], 3.0f);
  CHECK_EQUAL(dst[4], 0.0f);
}

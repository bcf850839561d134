// Gradients of the ops that work element by element, of softmax and of the losses: against their definitions
// in double, differentiated by finite differences or by hand.
#include <cmath>
#include <functional>
#include <vector>

#include "check.h"
#include "core/op/elementwise/affine_gradient.h"
#include "core/op/elementwise/eltwise_gradient.h"
#include "core/op/elementwise/prelu_gradient.h"
#include "core/op/elementwise/unary_gradient.h"
#include "core/op/loss/contrastive_loss_gradient.h"
#include "core/op/loss/loss_gradient.h"
#include "core/op/rows/reduce_gradient.h"
#include "core/op/rows/softmax_gradient.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

guarded::vector<float> uniform(int64_t count, uint32_t seed) {
  return cases::Random(seed).values(count, false);
}

bool near(double a, double b, double tolerance = 1e-5) {
  return std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
}

double slope(const std::function<double(double)>& f, double x) { return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5; }

template <class Op, class Arguments>
void run(const Arguments& arguments, int threads = 3) {
  Op::check(arguments);
  Context context(threads, detect_cpu_features());
  Op::run(context, arguments);
}

struct UnaryCase {
  UnaryFunction function;
  float a, b, c;
  bool of_dst;
  std::function<double(double)> f;
};

}  // namespace

TEST(unary_gradients_are_the_slopes) {
  using F = UnaryFunction;
  const UnaryCase all[] = {
      {F::relu, 0, 0, 0, true, [](double x) { return std::max(x, 0.0); }},
      {F::relu, 0.25f, 0, 0, true, [](double x) { return x > 0 ? x : x / 4; }},
      {F::relu, -0.5f, 0, 0, false, [](double x) { return x > 0 ? x : -x / 2; }},
      {F::absolute, 0, 0, 0, false, [](double x) { return std::fabs(x); }},
      {F::bnll, 0, 0, 0, false, [](double x) { return std::log1p(std::exp(x)); }},
      {F::clip, -0.5f, 0.75f, 0, false, [](double x) { return std::min(std::max(x, -0.5), 0.75); }},
      {F::elu, 0.75f, 0, 0, true, [](double x) { return x > 0 ? x : 0.75 * std::expm1(x); }},
      {F::elu, -0.75f, 0, 0, false, [](double x) { return x > 0 ? x : -0.75 * std::expm1(x); }},
      {F::exponent, 0.5f, 2, 0, true, [](double x) { return 2 * std::exp(0.5 * x); }},
      {F::logarithm, 0.5f, 2, 3, false, [](double x) { return 3 * std::log(0.5 * x + 2); }},
      {F::power, 0.5f, 2, 1.5f, false, [](double x) { return std::pow(0.5 * x + 2, 1.5); }},
      {F::power, 0.5f, 2, 2, false, [](double x) { return std::pow(0.5 * x + 2, 2); }},
      {F::power, 0.5f, 2, 1, false, [](double x) { return 0.5 * x + 2; }},
      {F::sigmoid, 0, 0, 0, true, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {F::swish, 1.5f, 0, 0, false, [](double x) { return x / (1 + std::exp(-1.5 * x)); }},
      {F::tanh, 0, 0, 0, true, [](double x) { return std::tanh(x); }},
  };
  for (const UnaryCase& u : all) {
    guarded::vector<float> src = uniform(1000, 1), dst(1000), diff = uniform(1000, 2), kept = diff;
    for (float& x : src) x *= 2;
    for (size_t i = 0; i < src.size(); ++i) dst[i] = float(u.f(src[i]));
    UnaryGradientArguments g;
    g.values = Tensor::of((u.of_dst ? dst : src).data(), {10, 100});
    g.dst_diff = g.src_diff = Tensor::of(diff.data(), {10, 100});
    g.function = u.function;
    g.a = u.a, g.b = u.b, g.c = u.c;
    run<UnaryGradient>(g);
    for (size_t i = 0; i < src.size(); ++i)
      CHECK(near(diff[i], kept[i] * slope(u.f, src[i]), 2e-4), "function ", int(u.function), " at ", src[i]);
  }
}

TEST(unary_gradients_skip_the_gaps_of_slices) {
  guarded::vector<float> values = {1, -1, 9, 0, 2, 9}, diff = {3, 4, 9, 5, 6, 9};
  UnaryGradientArguments g;
  g.values = Tensor::of(values.data(), {2, 2});
  g.dst_diff = g.src_diff = Tensor::of(diff.data(), {2, 2});
  g.values.image_stride = g.dst_diff.image_stride = g.src_diff.image_stride = 3;
  run<UnaryGradient>(g);
  CHECK(diff == (guarded::vector<float>{3, 0, 9, 0, 6, 9}));
}

TEST(eltwise_gradient_may_lie_where_that_of_the_output_does) {
  const guarded::vector<float> a = {2, 0, 3}, b = {5, 7, 0}, c = {-1, 2, 4}, weight = {1, 10, 100};
  for (EltwiseOperation operation : {EltwiseOperation::sum, EltwiseOperation::product})
    for (int target = 0; target < 3; ++target) {
      guarded::vector<float> srcs[] = {a, b, c}, diffs[] = {weight, weight, weight};
      EltwiseGradientArguments e;
      e.operation = operation;
      for (int s = 0; s < 3; ++s) {
        e.srcs.push_back(Tensor::of(srcs[s].data(), {3}));
        e.src_diffs.push_back(Tensor::of(diffs[s].data(), {3}));
        e.indices.push_back(s);
      }
      e.dst_diff = e.src_diffs[target];
      if (operation == EltwiseOperation::sum) e.coefficients = {2, -1, 0.5f};
      run<EltwiseGradient>(e);
      for (int i = 0; i < 3; ++i)
        for (int s = 0; s < 3; ++s) {
          const float others = srcs[(s + 1) % 3][i] * srcs[(s + 2) % 3][i];
          const float factor = operation == EltwiseOperation::sum ? e.coefficients[s] : others;
          CHECK_EQUAL(diffs[s][i], weight[i] * factor, "source ", s, " element ", i, " target ", target);
        }
    }
}

TEST(eltwise_maximum_gives_its_gradient_to_one_source) {
  // Columns: each the greatest once, the first two equal, the last two equal, all equal.
  guarded::vector<float> srcs[] = {{3, 0, 0, 2, 0, 1}, {0, 3, 0, 2, 2, 1}, {0, 0, 3, 0, 2, 1}};
  const int winner[] = {0, 1, 2, 1, 1, 1};
  guarded::vector<float> diffs[] = {guarded::vector<float>(6, 9), guarded::vector<float>(6, 9),
                                    guarded::vector<float>(6, 9)};
  guarded::vector<float> weight = {1, 2, 3, 4, 5, 6};
  EltwiseGradientArguments e;
  e.operation = EltwiseOperation::maximum;
  for (int s = 0; s < 3; ++s) {
    e.srcs.push_back(Tensor::of(srcs[s].data(), {6}));
    e.src_diffs.push_back(Tensor::of(diffs[s].data(), {6}));
    e.indices.push_back(s);
  }
  e.dst_diff = Tensor::of(weight.data(), {6});
  run<EltwiseGradient>(e);
  for (int i = 0; i < 6; ++i)
    for (int s = 0; s < 3; ++s)
      CHECK_EQUAL(diffs[s][i], s == winner[i] ? weight[i] : 0.0f, "source ", s, " column ", i);
}

TEST(eltwise_gradient_takes_slices) {
  guarded::vector<float> src = {1, 2, 9, 3, 4, 9}, other = {5, 6, 7, 8}, weight = {1, 2, 9, 9, 3, 4, 9, 9};
  guarded::vector<float> diff(6, 9);
  EltwiseGradientArguments e;
  e.operation = EltwiseOperation::product;
  e.srcs = {Tensor::of(other.data(), {2, 2}), Tensor::of(src.data(), {2, 2})};
  e.srcs[1].image_stride = 3;
  e.dst_diff = Tensor::of(weight.data(), {2, 2});
  e.dst_diff.image_stride = 4;
  e.src_diffs = {Tensor::of(diff.data(), {2, 2})};
  e.src_diffs[0].image_stride = 3;
  e.indices = {1};
  run<EltwiseGradient>(e);
  CHECK(diff == (guarded::vector<float>{5, 12, 9, 21, 32, 9}));
}

TEST(affine_gradient_sums_over_the_other_axes) {
  const int64_t shapes[][4] = {{5, 6, 7, 8}, {3, 2, 150, 120}, {700, 40, 1, 3}};
  for (const auto& dims : shapes)
    for (int axis = 0; axis <= 4; ++axis)
      for (int axes = 0; axis + axes <= 4; ++axes) {
        const int64_t count = dims[0] * dims[1] * dims[2] * dims[3];
        guarded::vector<float> src = uniform(count, 3), diff = uniform(count, 4);
        int64_t channels = 1, inner = 1;
        for (int i = axis; i < axis + axes; ++i) channels *= dims[i];
        for (int i = axis + axes; i < 4; ++i) inner *= dims[i];
        std::vector<double> scale(channels, 0.5), bias(channels, 0.5);
        for (int64_t i = 0; i < count; ++i) {
          scale[i / inner % channels] += double(src[i]) * diff[i];
          bias[i / inner % channels] += diff[i];
        }
        guarded::vector<float> first;
        for (int threads : {1, 3}) {
          guarded::vector<float> sums(2 * channels, 0.5f);
          AffineGradientArguments a;
          a.src = Tensor::of(src.data(), {dims[0], dims[1], dims[2], dims[3]});
          a.dst_diff = Tensor::of(diff.data(), {dims[0], dims[1], dims[2], dims[3]});
          a.scale_diff = Tensor::of(sums.data(), {channels});
          a.bias_diff = Tensor::of(sums.data() + channels, {channels});
          a.axis = axis, a.axes = axes;
          run<AffineGradient>(a, threads);
          for (int64_t c = 0; c < channels; ++c) {
            CHECK(near(sums[c], scale[c], 2e-7), "axis ", axis, " axes ", axes, " channel ", c);
            CHECK(near(sums[channels + c], bias[c], 2e-7), "axis ", axis, " axes ", axes, " channel ", c);
          }
          if (first.empty()) first = sums;
          CHECK(first == sums, "other bits with ", threads, " threads");
        }
      }
}

TEST(prelu_gradient_in_place_and_in_slices) {
  const int64_t N = 3, C = 4, gap = 5;
  for (int64_t inner : {3, 20})
    for (int64_t slopes : {int64_t{1}, C}) {
      const int64_t image = C * inner, stride = image + gap;
      guarded::vector<float> src = uniform(N * stride, 5), diff = uniform(N * stride, 6), kept = diff;
      guarded::vector<float> slope = {0.25f, -0.5f, 0, 2}, slope_diff(slopes, 1.0f);
      PreluGradientArguments p;
      p.src = Tensor::of(src.data(), {N, C, inner});
      p.dst_diff = p.src_diff = Tensor::of(diff.data(), {N, C, inner});
      p.src.image_stride = p.dst_diff.image_stride = p.src_diff.image_stride = stride;
      p.slope = Tensor::of(slope.data(), {slopes});
      p.slope_diff = Tensor::of(slope_diff.data(), {slopes});
      run<PreluGradient>(p);
      std::vector<double> expected(slopes, 1.0);
      for (int64_t i = 0; i < N * stride; ++i) {
        const int64_t at = i % stride, c = slopes == 1 ? 0 : at / inner % C;
        if (at >= image) {
          CHECK_EQUAL(diff[i], kept[i], "gap at ", i);
          continue;
        }
        CHECK_EQUAL(diff[i], kept[i] * (src[i] > 0 ? 1.0f : slope[c]), "element ", i);
        if (!(src[i] > 0)) expected[c] += double(src[i]) * kept[i];
      }
      for (int64_t c = 0; c < slopes; ++c) CHECK(near(slope_diff[c], expected[c], 2e-7), "slope ", c);
    }
}

TEST(reduce_gradient_spreads_a_row) {
  guarded::vector<float> src = {1, -2, 0, 4, 5, -6}, diff = {10, 100}, result(6);
  ReduceGradientArguments r;
  r.src = Tensor::of(src.data(), {2, 3});
  r.dst_diff = Tensor::of(diff.data(), {2});
  r.src_diff = Tensor::of(result.data(), {2, 3});
  r.coefficient = 0.5f;
  run<ReduceGradient>(r);
  CHECK(result == (guarded::vector<float>{5, 5, 5, 50, 50, 50}));
  r.operation = ReduceOperation::absolute_sum;
  run<ReduceGradient>(r);
  CHECK(result == (guarded::vector<float>{5, -5, 0, 50, 50, -50}));
  r.operation = ReduceOperation::square_sum;
  run<ReduceGradient>(r);
  CHECK(result == (guarded::vector<float>{10, -20, 0, 400, 500, -600}));
}

namespace {

const int64_t kOuter = 2, kClasses = 5, kInner = 3;

// e^x over their sum, for one position of (outer, classes, inner).
std::vector<double> softmax(const std::vector<double>& scores) {
  double sum = 0;
  for (double x : scores) sum += std::exp(x);
  std::vector<double> result;
  for (double x : scores) result.push_back(std::exp(x) / sum);
  return result;
}

guarded::vector<float> softmax_all(const guarded::vector<float>& scores) {
  guarded::vector<float> result(scores.size());
  for (int64_t p = 0; p < kOuter * kInner; ++p) {
    const int64_t start = p / kInner * kClasses * kInner + p % kInner;
    std::vector<double> own;
    for (int64_t c = 0; c < kClasses; ++c) own.push_back(scores[start + c * kInner]);
    own = softmax(own);
    for (int64_t c = 0; c < kClasses; ++c) result[start + c * kInner] = float(own[c]);
  }
  return result;
}

}  // namespace

TEST(softmax_gradient_is_the_slope_of_softmax) {
  const guarded::vector<float> scores = uniform(kOuter * kClasses * kInner, 7);
  guarded::vector<float> dst = softmax_all(scores), weight = uniform(scores.size(), 8), diff = weight;
  SoftmaxGradientArguments g;
  g.dst = Tensor::of(dst.data(), {kOuter, kClasses, kInner});
  g.dst_diff = g.src_diff = Tensor::of(diff.data(), {kOuter, kClasses, kInner});
  run<SoftmaxGradient>(g);
  for (int64_t i = 0; i < int64_t(scores.size()); ++i) {
    const int64_t start = i / (kClasses * kInner) * kClasses * kInner + i % kInner;
    const double expected = slope(
        [&](double x) {
          std::vector<double> own;
          for (int64_t at = start; int64_t(own.size()) < kClasses; at += kInner)
            own.push_back(at == i ? x : scores[at]);
          own = softmax(own);
          double sum = 0;
          for (int64_t c = 0; c < kClasses; ++c) sum += own[c] * weight[start + c * kInner];
          return sum;
        },
        scores[i]);
    CHECK(near(diff[i], expected), "element ", i);
  }
}

TEST(label_loss_gradients_are_the_slopes_of_the_losses) {
  const guarded::vector<float> scores = uniform(kOuter * kClasses * kInner, 9);
  guarded::vector<float> labels = {0, 3, 1, 4, 3, 2}, gain = uniform(kClasses * kClasses, 10);
  struct Kind {
    LabelLossKind kind;
    bool through_softmax;
  };
  const Kind kinds[] = {{LabelLossKind::logarithm, true},
                        {LabelLossKind::logarithm, false},
                        {LabelLossKind::infogain, true},
                        {LabelLossKind::hinge_l1, false},
                        {LabelLossKind::hinge_l2, false}};
  for (const Kind& kind : kinds)
    for (bool ignores : {false, true})
      for (LossNormalization normalization : {LossNormalization::full, LossNormalization::valid,
                                              LossNormalization::batch_size, LossNormalization::none}) {
        const bool positive = kind.kind == LabelLossKind::logarithm && !kind.through_softmax;
        guarded::vector<float> values = scores;
        if (positive)
          for (float& x : values) x = 0.1f + std::fabs(x);
        guarded::vector<float> src = kind.through_softmax ? softmax_all(values) : values;
        guarded::vector<float> diff(src.size(), 9), weight = {1.5f};
        LabelLossGradientArguments g;
        g.src = Tensor::of(src.data(), {kOuter, kClasses, kInner});
        g.labels = Tensor::of(labels.data(), {kOuter, kInner});
        g.dst_diff = Tensor::of(weight.data(), {1});
        g.src_diff = Tensor::of(diff.data(), {kOuter, kClasses, kInner});
        g.gain = Tensor::of(gain.data(), {kClasses, kClasses});
        g.kind = kind.kind;
        g.through_softmax = kind.through_softmax;
        g.normalization = normalization;
        g.ignores = ignores, g.ignored = 3;
        g.floor = 1e-20f;
        run<LabelLossGradient>(g);
        const double divisor = normalization == LossNormalization::full    ? 6
                               : normalization == LossNormalization::valid ? (ignores ? 4 : 6)
                               : normalization == LossNormalization::none  ? 1
                                                                           : 2;
        for (int64_t i = 0; i < int64_t(values.size()); ++i) {
          const int64_t image = i / (kClasses * kInner), start = image * kClasses * kInner + i % kInner;
          const int64_t label = int64_t(labels[image * kInner + i % kInner]);
          const auto loss = [&](double x) {
            std::vector<double> own;
            for (int64_t at = start; int64_t(own.size()) < kClasses; at += kInner)
              own.push_back(at == i ? x : values[at]);
            if (kind.through_softmax) own = softmax(own);
            double sum = 0;
            for (int64_t c = 0; c < kClasses; ++c) {
              const double margin = std::max(0.0, 1 + (c == label ? -own[c] : own[c]));
              if (kind.kind == LabelLossKind::hinge_l1) sum += margin;
              if (kind.kind == LabelLossKind::hinge_l2) sum += margin * margin;
              if (kind.kind == LabelLossKind::infogain) sum -= gain[label * kClasses + c] * std::log(own[c]);
            }
            return kind.kind == LabelLossKind::logarithm ? -std::log(own[label]) : sum;
          };
          const double expected = ignores && label == 3 ? 0 : 1.5 / divisor * slope(loss, values[i]);
          CHECK(near(diff[i], expected), "kind ", int(kind.kind), " element ", i);
        }
      }
}

TEST(pair_loss_gradients) {
  guarded::vector<float> src = {1, -2, 3, 0.5f}, target = {0, 1, 2, 1}, a(4), b(4), weight = {3};
  PairLossGradientArguments g;
  g.src = Tensor::of(src.data(), {2, 2});
  g.target = Tensor::of(target.data(), {2, 2});
  g.dst_diff = Tensor::of(weight.data(), {1});
  g.src_diff = Tensor::of(a.data(), {2, 2});
  g.target_diff = Tensor::of(b.data(), {2, 2});
  run<PairLossGradient>(g);
  for (int i = 0; i < 4; ++i) {
    CHECK_EQUAL(a[i], 1.5f * (src[i] - target[i]));
    CHECK_EQUAL(b[i], -a[i]);
  }
  g.kind = PairLossKind::sigmoid_cross_entropy;
  g.target_diff = {};
  g.normalization = LossNormalization::valid;
  g.ignores = true, g.ignored = 2;
  run<PairLossGradient>(g);
  for (int i = 0; i < 4; ++i)
    CHECK(near(a[i], target[i] == 2 ? 0 : 1 / (1 + std::exp(-double(src[i]))) - target[i]), "element ", i);
}

TEST(contrastive_loss_gradient_of_equal_and_other_pairs) {
  // Distances 5, 5, 1 and 0.
  guarded::vector<float> a = {3, 4, 3, 4, 1, 0, 2, 2}, b = {0, 0, 0, 0, 0, 0, 2, 2}, similar = {1, 0, 0, 0};
  guarded::vector<float> a_diff(8), b_diff(8), weight = {4};
  ContrastiveLossGradientArguments c;
  c.a = Tensor::of(a.data(), {4, 2});
  c.b = Tensor::of(b.data(), {4, 2});
  c.similar = Tensor::of(similar.data(), {4});
  c.dst_diff = Tensor::of(weight.data(), {1});
  c.a_diff = Tensor::of(a_diff.data(), {4, 2});
  c.b_diff = Tensor::of(b_diff.data(), {4, 2});
  c.margin = 3;
  for (bool legacy : {false, true}) {
    c.legacy = legacy;
    run<ContrastiveLossGradient>(c);
    const double factor[] = {1, 0, legacy ? -1 : -2 / (1 + 1e-4), legacy ? -1 : -3 / 1e-4};
    for (int i = 0; i < 8; ++i) {
      CHECK(near(a_diff[i], factor[i / 2] * (a[i] - b[i])), "element ", i);
      CHECK_EQUAL(b_diff[i], -a_diff[i]);
    }
  }
}

// Losses, their gradients, accuracy and arg max: on the device as on the processor.
#include "core/op/loss/loss.h"

#include "core/op/loss/accuracy.h"
#include "core/op/loss/loss_gradient.h"
#include "core/op/rows/arg_max.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t outer, classes, inner;
};
const Problem kProblems[] = {{37, 10, 1}, {2, 300, 1}, {3, 5, 40}, {300, 3, 1}};
constexpr LossNormalization kNormalizations[] = {LossNormalization::full, LossNormalization::valid,
                                                 LossNormalization::batch_size, LossNormalization::none};

Twin labels_of(const Problem& p, int64_t ignored) {
  guarded::vector<float> labels(size_t(p.outer * p.inner));
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = i % 7 == 3 ? float(ignored) : float((i * 13 + 5) % size_t(p.classes));
  return Twin({p.outer * p.inner}, labels);
}

// Probabilities that add up to anything.
Twin scores_of(const Problem& p) {
  guarded::vector<float> values = random_values(p.outer * p.classes * p.inner, 1);
  for (float& value : values) value = std::fabs(value) / 8;
  return Twin({p.outer, p.classes, p.inner}, values);
}

template <class Arguments>
void set_ignored(Arguments& a) {
  a.ignores = true;
  a.ignored = 255;
}

}  // namespace

TEST(label_losses_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (LabelLossKind kind : {LabelLossKind::logarithm, LabelLossKind::hinge_l1, LabelLossKind::hinge_l2,
                               LabelLossKind::infogain})
      for (LossNormalization normalization : kNormalizations) {
        if (kind == LabelLossKind::infogain && p.classes > 100) continue;
        Twin src = scores_of(p), labels = labels_of(p, 255), dst({1}, 2);
        Twin gain({p.classes * (p.classes > 100 ? 1 : p.classes)}, 4);
        run_both<LabelLoss>([&](bool device) {
          LabelLossArguments a;
          a.src = src.tensor(device);
          a.labels = labels.tensor(device);
          a.dst = dst.tensor(device);
          if (kind == LabelLossKind::infogain) a.gain = gain.tensor(device);
          a.kind = kind;
          a.normalization = normalization;
          a.floor = 1e-20f;
          set_ignored(a);
          return a;
        });
        dst.check_close(1e-6, "kind ", int(kind), " normalization ", int(normalization));
      }
}

TEST(label_loss_gradients_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (LabelLossKind kind : {LabelLossKind::logarithm, LabelLossKind::hinge_l1, LabelLossKind::hinge_l2,
                               LabelLossKind::infogain})
      for (LossNormalization normalization : kNormalizations)
        for (bool through_softmax : {false, true}) {
          const bool infogain = kind == LabelLossKind::infogain;
          if (infogain && !through_softmax) continue;
          Twin gain({p.classes, infogain ? p.classes : 1}, 4);
          Twin src = scores_of(p), labels = labels_of(p, 255), weight({1}, guarded::vector<float>{0.7f});
          Twin result({p.outer, p.classes, p.inner}, 3);
          run_both<LabelLossGradient>([&](bool device) {
            LabelLossGradientArguments a;
            a.src = src.tensor(device);
            a.labels = labels.tensor(device);
            a.dst_diff = weight.tensor(device);
            a.src_diff = result.tensor(device);
            a.kind = kind;
            a.normalization = normalization;
            a.through_softmax = through_softmax;
            a.floor = 1e-3f;
            if (infogain) a.gain = gain.tensor(device);
            set_ignored(a);
            return a;
          });
          result.check_equal("kind ", int(kind), " normalization ", int(normalization));
        }
}

TEST(a_label_that_is_no_class_is_told_with_the_op) {
  cuda::Context& context = test_context();
  Twin src({4, 3}, 1), labels({4}, guarded::vector<float>{0, 1, 3, 2}), dst({1}, 2), result({4, 3}, 3);
  const auto error_of = [&](const char* label, const auto& arguments) {
    context.begin_op(label);
    CHECK(cuda::run(context, arguments));
    try {
      context.synchronize();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  LabelLossArguments loss;
  loss.src = src.tensor(true);
  loss.labels = labels.tensor(true);
  loss.dst = dst.tensor(true);
  CHECK_EQUAL(error_of("loss", loss), std::string("loss: a label is not a class"));
  AccuracyArguments accuracy;
  accuracy.src = loss.src, accuracy.labels = loss.labels, accuracy.dst = loss.dst;
  CHECK_EQUAL(error_of("accuracy", accuracy), std::string("accuracy: a label is not a class"));
  LabelLossGradientArguments gradient;
  gradient.src = loss.src, gradient.labels = loss.labels, gradient.dst_diff = loss.dst;
  gradient.src_diff = result.tensor(true);
  CHECK_EQUAL(error_of("gradient", gradient), std::string("gradient: a label is not a class"));
  labels.tensor(true).f32()[2] = 2;
  CHECK_EQUAL(error_of("loss", loss), std::string("none"));
}

TEST(pair_losses_equal_the_processors) {
  for (PairLossKind kind : {PairLossKind::euclidean, PairLossKind::sigmoid_cross_entropy})
    for (LossNormalization normalization : kNormalizations) {
      Twin src({5, 411}, 1), dst({1}, 2), diff({1}, 5), src_diff({5, 411}, 6), target_diff({5, 411}, 7);
      guarded::vector<float> targets = random_values(5 * 411, 3);
      for (float& target : targets) target = target > 0 ? 1.0f : target < -6 ? 255.0f : 0.0f;
      Twin target({5, 411}, targets);
      run_both<PairLoss>([&](bool device) {
        PairLossArguments a{src.tensor(device), target.tensor(device), dst.tensor(device), kind,
                            normalization};
        set_ignored(a);
        return a;
      });
      dst.check_close(1e-6, "kind ", int(kind), " normalization ", int(normalization));
      const bool both = kind == PairLossKind::euclidean;
      run_both<PairLossGradient>([&](bool device) {
        PairLossGradientArguments a;
        a.src = src.tensor(device);
        a.target = target.tensor(device);
        a.dst_diff = diff.tensor(device);
        a.src_diff = src_diff.tensor(device);
        if (both) a.target_diff = target_diff.tensor(device);
        a.kind = kind;
        a.normalization = normalization;
        set_ignored(a);
        return a;
      });
      src_diff.check_close(1e-6, "kind ", int(kind), " normalization ", int(normalization));
      target_diff.check_close(1e-6, "kind ", int(kind), " normalization ", int(normalization));
    }
}

TEST(accuracy_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (int64_t top : {1, 2})
      for (bool per_class : {false, true}) {
        // Few values: many scores are equal.
        guarded::vector<float> values = random_values(p.outer * p.classes * p.inner, 9);
        for (float& value : values) value = std::round(value);
        values[values.size() / 2] = float_of(0x7FC00000u);
        Twin src({p.outer, p.classes, p.inner}, values), labels = labels_of(p, 255), dst({1}, 2),
                                                         classes({p.classes}, 3);
        run_both<Accuracy>([&](bool device) {
          AccuracyArguments a;
          a.src = src.tensor(device);
          a.labels = labels.tensor(device);
          a.dst = dst.tensor(device);
          if (per_class) a.per_class = classes.tensor(device);
          a.top_k = top;
          set_ignored(a);
          return a;
        });
        dst.check_equal("classes ", p.classes, " top ", top);
        classes.check_equal("classes ", p.classes, " top ", top);
      }
}

TEST(arg_max_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (ArgMaxOutput output : {ArgMaxOutput::index, ArgMaxOutput::value, ArgMaxOutput::both})
      for (int64_t top : {int64_t{1}, int64_t{3}, p.classes}) {
        if (p.outer > 100 || (output == ArgMaxOutput::both && p.inner > 1)) continue;
        guarded::vector<float> values = random_values(p.outer * p.classes * p.inner, 9);
        for (float& value : values) value = std::round(value);
        for (size_t i = 0; i < values.size(); i += 5) values[i] = float_of(0x7FC00000u);
        Twin src({p.outer, p.classes, p.inner}, values);
        Twin dst({p.outer, top * (output == ArgMaxOutput::both ? 2 : 1), p.inner}, 2);
        run_both<ArgMax>([&](bool device) {
          ArgMaxArguments a;
          a.src = src.tensor(device);
          a.dst = dst.tensor(device);
          a.output = output;
          a.outer = p.outer, a.length = p.classes, a.inner = p.inner, a.top_k = top;
          return a;
        });
        dst.check_close(0, "classes ", p.classes, " top ", top, " output ", int(output));
      }
}

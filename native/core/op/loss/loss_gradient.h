// label loss gradient and pair loss gradient. dstDiff is one number, the loss's weight, read when the op
// runs.
#pragma once

#include "../../op_fields.h"
#include "loss.h"

namespace ristretto {

struct LabelLossGradientArguments {
  Tensor src;       // as the loss took it
  Tensor labels;    // outer * inner class numbers
  Tensor dst_diff;  // one element
  Tensor src_diff;  // the shape of src
  LabelLossKind kind = LabelLossKind::logarithm;
  // src are the probabilities of a softmax, and src_diff is that of its scores; infogain needs it.
  bool through_softmax = false;
  LossNormalization normalization = LossNormalization::valid;
  int64_t axis = 1;
  float floor = 0;  // logarithm not through a softmax: below it a probability counts as this
  Tensor gain;      // infogain: classes * classes elements, a row per label
  bool ignores = false;
  int64_t ignored = 0;

  template <class F>
  static void fields(F& field) {
    using A = LabelLossGradientArguments;
    field("src", &A::src);
    field("labels", &A::labels);
    field("dstDiff", &A::dst_diff).doc("One number, the loss's weight.");
    field("srcDiff", &A::src_diff);
    field("kind", &A::kind);
    field("throughSoftmax", &A::through_softmax)
        .doc("src are the probabilities of a softmax; srcDiff is that of its scores.");
    label_loss_fields<A>(field);
  }
};

struct LabelLossGradient {
  using Arguments = LabelLossGradientArguments;
  static constexpr const char* name = "labelLossGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

struct PairLossGradientArguments {
  Tensor src;
  Tensor target;       // as many elements
  Tensor dst_diff;     // one element
  Tensor src_diff;     // or empty
  Tensor target_diff;  // euclidean, or empty
  PairLossKind kind = PairLossKind::euclidean;
  LossNormalization normalization = LossNormalization::batch_size;
  bool ignores = false;
  int64_t ignored = 0;

  template <class F>
  static void fields(F& field) {
    using A = PairLossGradientArguments;
    field("src", &A::src);
    field("target", &A::target);
    field("dstDiff", &A::dst_diff).doc("One number, the loss's weight.");
    field("srcDiff", &A::src_diff).optional();
    field("targetDiff", &A::target_diff).optional();
    pair_loss_fields<A>(field);
  }
};

struct PairLossGradient {
  using Arguments = PairLossGradientArguments;
  static constexpr const char* name = "pairLossGradient";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

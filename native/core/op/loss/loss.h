// label loss and pair loss: one number from a batch of scores and their labels or targets.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

// What the sum is divided by, never less than 1: outer * inner, those not ignored, outer, or 1.
enum class LossNormalization : uint8_t { full, valid, batch_size, none };

template <>
inline constexpr auto names_of<LossNormalization> =
    enum_names<LossNormalization>("LossNormalization", {{"full", LossNormalization::full},
                                                        {"valid", LossNormalization::valid},
                                                        {"batchSize", LossNormalization::batch_size},
                                                        {"none", LossNormalization::none}});

enum class LabelLossKind : uint8_t {
  logarithm,  // -log(max(src[label], floor)); src are probabilities
  hinge_l1,   // sum over classes of max(0, 1 + (class == label ? -src : src))
  hinge_l2,   // the same, squared
  infogain,   // sum over classes c of -gain[label][c] * log(max(src[c], floor))
};

template <>
inline constexpr auto names_of<LabelLossKind> =
    enum_names<LabelLossKind>("LabelLossKind", {{"logarithm", LabelLossKind::logarithm},
                                                {"hingeL1", LabelLossKind::hinge_l1},
                                                {"hingeL2", LabelLossKind::hinge_l2},
                                                {"infogain", LabelLossKind::infogain}});

// What label losses and their gradient share.
template <class A, class F>
void label_loss_fields(F& field) {
  field("normalization", &A::normalization);
  field("axis", &A::axis).at_least(0);
  field("floor", &A::floor).optional().doc("Probabilities below this count as this.");
  field("gain", &A::gain).optional().doc("Infogain: classes * classes elements, a row per label.");
  field("ignores", &A::ignores);
  field("ignored", &A::ignored).optional();
}

struct LabelLossArguments {
  Tensor src;     // (outer..., classes, inner...)
  Tensor labels;  // outer * inner class numbers
  Tensor dst;     // one element
  LabelLossKind kind = LabelLossKind::logarithm;
  LossNormalization normalization = LossNormalization::valid;
  int64_t axis = 1;
  float floor = 0;
  Tensor gain;  // infogain: classes * classes elements, a row per label
  bool ignores = false;
  int64_t ignored = 0;

  template <class F>
  static void fields(F& field) {
    using A = LabelLossArguments;
    field("src", &A::src);
    field("labels", &A::labels);
    field("dst", &A::dst);
    field("kind", &A::kind);
    label_loss_fields<A>(field);
  }
};

struct LabelLoss {
  using Arguments = LabelLossArguments;
  static constexpr const char* name = "labelLoss";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

enum class PairLossKind : uint8_t {
  euclidean,              // (src - target)^2 / 2
  sigmoid_cross_entropy,  // -target * log(s) - (1 - target) * log(1 - s), s = sigmoid(src)
};

template <>
inline constexpr auto names_of<PairLossKind> =
    enum_names<PairLossKind>("PairLossKind", {{"euclidean", PairLossKind::euclidean},
                                              {"sigmoidCrossEntropy", PairLossKind::sigmoid_cross_entropy}});

// What pair losses and their gradient share.
template <class A, class F>
void pair_loss_fields(F& field) {
  field("kind", &A::kind);
  field("normalization", &A::normalization);
  field("ignores", &A::ignores);
  field("ignored", &A::ignored).optional();
}

struct PairLossArguments {
  Tensor src;
  Tensor target;  // as many elements
  Tensor dst;     // one element
  PairLossKind kind = PairLossKind::euclidean;
  LossNormalization normalization = LossNormalization::batch_size;
  bool ignores = false;  // elements whose target's whole part is `ignored`
  int64_t ignored = 0;

  template <class F>
  static void fields(F& field) {
    using A = PairLossArguments;
    field("src", &A::src);
    field("target", &A::target);
    field("dst", &A::dst);
    pair_loss_fields<A>(field);
  }
};

struct PairLoss {
  using Arguments = PairLossArguments;
  static constexpr const char* name = "pairLoss";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

// label loss and pair loss: one number from a batch of scores and their labels or targets.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

// What the sum is divided by, never less than 1: outer * inner, those not ignored, outer, or 1.
enum class LossNormalization : uint8_t { full, valid, batch_size, none };

enum class LabelLossKind : uint8_t {
  logarithm,  // -log(max(src[label], floor)); src are probabilities
  hinge_l1,   // sum over classes of max(0, 1 + (class == label ? -src : src))
  hinge_l2,   // the same, squared
  infogain,   // sum over classes c of -gain[label][c] * log(max(src[c], floor))
};

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
};

struct LabelLoss {
  using Arguments = LabelLossArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

enum class PairLossKind : uint8_t {
  euclidean,              // (src - target)^2 / 2
  sigmoid_cross_entropy,  // -target * log(s) - (1 - target) * log(1 - s), s = sigmoid(src)
};

struct PairLossArguments {
  Tensor src;
  Tensor target;  // as many elements
  Tensor dst;     // one element
  PairLossKind kind = PairLossKind::euclidean;
  LossNormalization normalization = LossNormalization::batch_size;
  bool ignores = false;  // elements whose target's whole part is `ignored`
  int64_t ignored = 0;
};

struct PairLoss {
  using Arguments = PairLossArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto

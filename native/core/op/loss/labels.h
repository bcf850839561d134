// How ops read class labels, which come as floats: outer x inner of them for scores (outer, classes, inner).
#pragma once

#include "../../host_device.h"
#include "../check_tensor.h"

namespace ristretto {

struct LabelledScores {
  int64_t outer = 0, classes = 0, inner = 0;

  LabelledScores(const Tensor& scores, const Tensor& labels, int64_t axis) {
    require_contiguous(scores, "src");
    require_contiguous(labels, "labels");
    require(axis >= 0 && axis < scores.rank, "src ", scores.shape_text(), " has no axis ", axis);
    outer = scores.count(0, int(axis));
    classes = scores.dim[axis];
    inner = scores.count(int(axis) + 1);
    require(labels.count() == outer * inner, "src ", scores.shape_text(), " needs ", outer * inner,
            " labels along axis ", axis, ", there are ", labels.count());
  }
};

constexpr int64_t kIgnoredLabel = -1, kNoClass = -2;

// The class that a label names, or one of these.
RISTRETTO_HOST_DEVICE int64_t class_of_label(float label, int64_t classes, bool ignores, int64_t ignored) {
  if (ignores && label > -2147483648.0f && label < 2147483648.0f && int64_t(label) == ignored)
    return kIgnoredLabel;
  return label > -1.0f && label < float(classes) ? int64_t(label) : kNoClass;
}

// The class that the label at `index` names, or kIgnoredLabel. Throws for a label that is no class, with the
// record of the batch that has it.
inline int64_t class_of(const Tensor& labels, int64_t index, const LabelledScores& scores, bool ignores,
                        int64_t ignored) {
  const float label = labels.f32()[index];
  const int64_t named = class_of_label(label, scores.classes, ignores, ignored);
  if (named != kNoClass) return named;
  std::ostringstream text, place;
  text.precision(9);  // every digit: labels are whole numbers as a rule
  text << label;
  place << "record " << index / scores.inner << " of the batch, from 0";
  if (scores.inner > 1) place << ", position " << index % scores.inner;
  fail("label ", text.str(), " (", place.str(), ") is not a class: there are ", scores.classes, ", 0 to ",
       scores.classes - 1,
       label < 0 ? "; ignore_label names a label that does not count"
                 : "; num_output of the layer that gives the scores must exceed every label");
}

}  // namespace ristretto

// How ops read class labels, which come as floats: outer x inner of them for scores (outer, classes, inner).
#pragma once

#include "check_tensor.h"

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

// The class that the label at `index` names, or -1 where it is the one to ignore. Throws for a label that is
// no class.
inline int64_t class_of(const Tensor& labels, int64_t index, int64_t classes, bool ignores, int64_t ignored) {
  const float label = labels.f32()[index];
  if (ignores && label > -2147483648.0f && label < 2147483648.0f && int64_t(label) == ignored) return -1;
  require(label > -1.0f && label < float(classes), "label ", label, " (number ", index,
          ") is not a class: there are ", classes);
  return int64_t(label);
}

}  // namespace ristretto
